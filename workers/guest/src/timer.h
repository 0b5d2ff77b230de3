/* Timer units: when the unit they trigger starts next. */
#ifndef TIMER_H
#define TIMER_H

#include "unit.h"

void timer_start(Unit *unit);
void timer_stop(Unit *unit);
/* A unit became active or inactive: the timers that count from it are set anew. */
void timers_unit_changed(const Unit *unit);
/* When it elapses next and when it last did, microseconds since 1970; 0 when never. */
void timer_times(const Unit *unit, int64_t *next, int64_t *last);

#endif
