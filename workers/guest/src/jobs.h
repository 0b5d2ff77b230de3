/*
 * Jobs: what the supervisor was asked to do and has not done yet. A unit has at most one; starting pulls in what it requires and wants,
 * stopping takes along what requires it, and a job waits for the jobs of the units it is ordered after.
 */
#ifndef JOBS_H
#define JOBS_H

#include "unit.h"

/* Whoever waits for jobs: a systemctl call. */
typedef struct {
  size_t pending;
  void (*on_done)(void *owner, Unit *unit, JobKind kind, JobResult result);
  void *owner;
} Waiter;

/*
 * Asks for a job and what belongs to it. False when it cannot be (`*problem`, owned, says why). `waiter` (may be NULL) is told
 * when this unit's job is over, perhaps before the call returns.
 */
bool job_request(Unit *unit, JobKind kind, Waiter *waiter, char **problem);
void job_forget_waiter(const Waiter *waiter);
/* Called by the unit's own machinery. */
void job_finish(Unit *unit, JobResult result);
/* A unit's machinery tells its new state; everything that follows from it (dependants, events) is done here. */
void unit_set_state(Unit *unit, ActiveState active, const char *sub);
/* Starts every job that has nothing left to wait for. */
void jobs_run(void);
bool jobs_idle(void);
/* Clears a failed state. */
void unit_reset_failed(Unit *unit);
/* Tells the host the states that changed since the last call. */
void jobs_announce(void);

#endif
