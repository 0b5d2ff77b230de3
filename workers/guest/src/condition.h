/* Condition…= of unit files. */
#ifndef CONDITION_H
#define CONDITION_H

#include "unit.h"

/* The first condition that does not hold, as `ConditionPathExists=/x`; NULL when all hold. Owned. */
char *condition_unmet(const Unit *unit);

#endif
