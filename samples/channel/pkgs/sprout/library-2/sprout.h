/* Drawings of plants, second edition: a plant may bloom, so the call has one argument more. */
#ifndef SPROUT_H
#define SPROUT_H

const char *sprout_version(void);
/* Draws a plant of so many lines, with a blossom if `blooming` is not 0. */
void sprout_draw(int height, int blooming);

#endif
