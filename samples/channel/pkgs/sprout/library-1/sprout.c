#include "sprout.h"
#include <stdio.h>

const char *sprout_version(void)
{
    return "1.4.0";
}

void sprout_draw(int height)
{
    int line;
    for (line = 0; line < height; line++)
        printf("%s\n", line == 0 ? "  ," : line % 2 ? " \\|" : "  |/");
    printf("~~^~~\n");
}
