#include "sprout.h"
#include <stdio.h>

const char *sprout_version(void)
{
    return "2.0.1";
}

void sprout_draw(int height, int blooming)
{
    int line;
    if (blooming)
        printf(" _@_\n");
    for (line = 0; line < height; line++)
        printf("%s\n", line % 2 ? "  |/" : " \\|");
    printf("~~^~~\n");
}
