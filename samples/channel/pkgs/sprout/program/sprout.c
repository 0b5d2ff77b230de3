/* sprout [HEIGHT]: draws a plant with whichever edition of the library it was compiled against. */
#include <sprout.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    int height = argc > 1 ? atoi(argv[1]) : 3;
    if (argc > 1 && strcmp(argv[1], "--version") == 0) {
        printf("sprout 0.3 with libsprout %s\n", sprout_version());
        return 0;
    }
    if (height < 1 || height > 40) {
        fprintf(stderr, "sprout: a plant has 1 to 40 lines\n");
        return 1;
    }
#ifdef BLOOMING
    sprout_draw(height, BLOOMING);
#else
    sprout_draw(height);
#endif
    return 0;
}
