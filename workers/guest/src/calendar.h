/* Calendar events of timers (OnCalendar=), in local time. */
#ifndef CALENDAR_H
#define CALENDAR_H

#include "util.h"

/* The first moment after `after` (microseconds since 1970) that matches; -1 when there is none in ten years, -2 when `text` is not a calendar event. */
int64_t calendar_next(const char *text, int64_t after);

#endif
