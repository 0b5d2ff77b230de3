/* Drawings of plants, first edition: a plant has a height in lines. */
#ifndef SPROUT_H
#define SPROUT_H

const char *sprout_version(void);
/* Draws a plant of so many lines on standard output. */
void sprout_draw(int height);

#endif
