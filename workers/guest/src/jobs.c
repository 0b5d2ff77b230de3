/* Jobs; see jobs.h. */
#include "jobs.h"

#include <stdlib.h>
#include <string.h>

#include "condition.h"
#include "host-link.h"
#include "journal.h"
#include "manager.h"
#include "service.h"
#include "socket-unit.h"
#include "timer.h"

typedef struct Waiting {
  struct Waiting *next;
  Unit *unit;
  JobKind kind;
  Waiter *waiter;
} Waiting;

static Waiting *waitings;

/* ---- asking ---- */

static void set_job(Unit *unit, JobKind kind) {
  /* A restart pending starts it anyway. */
  if (unit->job == kind || (unit->job == JOB_RESTART && kind == JOB_START)) return;
  /* The newer wish wins; a start that follows a stop under way becomes a restart without the stop. */
  if (unit->job == JOB_STOP && unit->job_running && (kind == JOB_START || kind == JOB_RESTART)) {
    unit->job = JOB_RESTART;
    return;
  }
  if (unit->job != JOB_NONE) job_finish(unit, RESULT_CANCELED);
  unit->job = kind;
  unit->job_running = false;
}

typedef struct {
  /* Units met already, so that cycles end. */
  Strings seen;
  char *problem;
} Transaction;

static void add_stop(Transaction *transaction, Unit *unit, JobKind kind);

static const char *load_problem(const Unit *unit) {
  switch (unit->load) {
    case LOAD_LOADED: return NULL;
    case LOAD_NOT_FOUND: return "not found";
    case LOAD_MASKED: return "masked";
    case LOAD_BAD: return "not valid";
  }
  return NULL;
}

static void stop_conflicting(Transaction *transaction, Unit *unit) {
  for (Unit *other = units; other; other = other->next) {
    if (other == unit || !(unit_depends(unit, DEP_CONFLICTS, other) || unit_depends(other, DEP_CONFLICTS, unit))) continue;
    if (!strcmp(other->name, "shutdown.target")) continue;
    if (other->active != STATE_INACTIVE && other->active != STATE_FAILED) add_stop(transaction, other, JOB_STOP);
  }
}

static bool add_start(Transaction *transaction, Unit *unit, bool required) {
  if (!strings_unique(&transaction->seen, unit->name)) return true;
  const char *problem = load_problem(unit);
  if (problem) {
    if (required && !transaction->problem) transaction->problem = format_text("Unit %s %s.", unit->name, unit->load == LOAD_BAD ? "has a bad unit file setting" : unit->load == LOAD_MASKED ? "is masked" : "not found");
    return false;
  }
  Dependency must[] = {DEP_REQUIRES, DEP_BINDS_TO};
  for (size_t i = 0; i < COUNT_OF(must); i++)
    for (size_t j = 0; j < unit->dependencies[must[i]].count; j++)
      if (!add_start(transaction, unit_get(unit->dependencies[must[i]].items[j]), required)) return false;
  Dependency may[] = {DEP_WANTS, DEP_UPHOLDS};
  for (size_t i = 0; i < COUNT_OF(may); i++)
    for (size_t j = 0; j < unit->dependencies[may[i]].count; j++) add_start(transaction, unit_get(unit->dependencies[may[i]].items[j]), false);
  stop_conflicting(transaction, unit);
  if (!unit_is_up(unit) || unit->job == JOB_STOP) set_job(unit, JOB_START);
  return true;
}

/* Units that go down with this one. A restart of it restarts them. */
static bool goes_along(const Unit *other, const Unit *unit) {
  return unit_depends(other, DEP_REQUIRES, unit) || unit_depends(other, DEP_BINDS_TO, unit) || unit_depends(other, DEP_PART_OF, unit) || unit_depends(other, DEP_REQUISITE, unit);
}

static bool is_down(const Unit *unit) {
  return unit->active == STATE_INACTIVE || unit->active == STATE_FAILED;
}

static void add_stop(Transaction *transaction, Unit *unit, JobKind kind) {
  if (!strings_unique(&transaction->seen, unit->name)) return;
  for (Unit *other = units; other; other = other->next)
    if (goes_along(other, unit) && (!is_down(other) || other->job == JOB_START)) add_stop(transaction, other, kind);
  if (kind == JOB_RESTART && is_down(unit)) kind = JOB_START;
  if (!is_down(unit) || unit->job != JOB_NONE || kind == JOB_START) set_job(unit, kind);
}

static void add_waiter(Unit *unit, JobKind kind, Waiter *waiter) {
  Waiting *waiting = allocate(sizeof *waiting);
  *waiting = (Waiting){.next = waitings, .unit = unit, .kind = kind, .waiter = waiter};
  waitings = waiting;
  waiter->pending++;
}

void job_forget_waiter(const Waiter *waiter) {
  for (Waiting **link = &waitings; *link;) {
    Waiting *waiting = *link;
    if (waiting->waiter == waiter) {
      *link = waiting->next;
      free(waiting);
    } else {
      link = &waiting->next;
    }
  }
}

bool job_request(Unit *unit, JobKind kind, Waiter *waiter, char **problem) {
  Transaction transaction = {0};
  bool accepted = true;
  if (kind == JOB_START) accepted = add_start(&transaction, unit, true);
  if (kind == JOB_STOP) add_stop(&transaction, unit, JOB_STOP);
  if (kind == JOB_RELOAD) set_job(unit, JOB_RELOAD);
  if (kind == JOB_RESTART) {
    if (load_problem(unit)) {
      accepted = add_start(&transaction, unit, true);
    } else {
      /* What it needs by now may be more than what it was started with. */
      Transaction needs = {0};
      add_stop(&transaction, unit, JOB_RESTART);
      strings_add(&needs.seen, unit->name);
      for (size_t i = 0; i < unit->dependencies[DEP_REQUIRES].count; i++) add_start(&needs, unit_get(unit->dependencies[DEP_REQUIRES].items[i]), false);
      for (size_t i = 0; i < unit->dependencies[DEP_WANTS].count; i++) add_start(&needs, unit_get(unit->dependencies[DEP_WANTS].items[i]), false);
      strings_free(&needs.seen);
      free(needs.problem);
    }
  }
  strings_free(&transaction.seen);
  *problem = transaction.problem;
  if (!accepted) return false;
  if (waiter) {
    if (unit->job != JOB_NONE) {
      add_waiter(unit, kind, waiter);
    } else {
      waiter->on_done(waiter->owner, unit, kind, RESULT_DONE);
    }
  }
  return true;
}

/* ---- finishing ---- */

static void tell_waiters(Unit *unit, JobResult result) {
  /* A waiter's call-back may ask for more, so the list is searched anew each time. */
  for (Waiting **link = &waitings; *link;) {
    Waiting *waiting = *link;
    if (waiting->unit != unit) {
      link = &waiting->next;
      continue;
    }
    *link = waiting->next;
    waiting->waiter->pending--;
    waiting->waiter->on_done(waiting->waiter->owner, unit, waiting->kind, result);
    free(waiting);
    link = &waitings;
  }
}

static void start_listed(Unit *unit, Dependency kind) {
  for (size_t i = 0; i < unit->dependencies[kind].count; i++) {
    char *problem = NULL;
    Unit *other = unit_get(unit->dependencies[kind].items[i]);
    journal_format(unit->name, PRIORITY_INFO, "%s: Triggering %s= dependencies.", unit->name, dependency_names[kind]);
    if (!job_request(other, JOB_START, NULL, &problem)) journal_format(unit->name, PRIORITY_WARNING, "%s: %s", unit->name, problem);
    free(problem);
  }
}

static void fail_dependants(Unit *unit) {
  for (Unit *other = units; other; other = other->next) {
    if (other->job != JOB_START || other->job_running) continue;
    if (!unit_depends(other, DEP_REQUIRES, unit) && !unit_depends(other, DEP_BINDS_TO, unit) && !unit_depends(other, DEP_REQUISITE, unit)) continue;
    if (!unit_ordered(unit, other)) continue;
    job_finish(other, RESULT_DEPENDENCY);
  }
}

void job_finish(Unit *unit, JobResult result) {
  JobKind kind = unit->job;
  if (kind == JOB_NONE) return;
  /* A restart whose stop is over goes on as a start. */
  if (kind == JOB_RESTART && result == RESULT_DONE && is_down(unit)) {
    unit->job = JOB_START;
    unit->job_running = false;
    return;
  }
  unit->job = JOB_NONE;
  unit->job_running = false;
  if (kind == JOB_START && result == RESULT_DEPENDENCY) {
    manager_status("DEPEND", "Dependency failed for %s.", unit_description(unit));
    journal_format(unit->name, PRIORITY_WARNING, "Dependency failed for %s.", unit_description(unit));
    journal_format(unit->name, PRIORITY_NOTICE, "%s: Job %s/start failed with result 'dependency'.", unit->name, unit->name);
  }
  tell_waiters(unit, result);
  if (kind == JOB_START && (result == RESULT_FAILED || result == RESULT_DEPENDENCY || result == RESULT_NOT_FOUND)) {
    fail_dependants(unit);
    if (result == RESULT_DEPENDENCY) start_listed(unit, DEP_ON_FAILURE);
  }
}

/* ---- running ---- */

static bool is_stopping(JobKind kind) {
  return kind == JOB_STOP || kind == JOB_RESTART;
}

/* Whether `unit`'s job has to wait for `other`'s. */
static bool waits_for(const Unit *unit, const Unit *other) {
  if (unit == other || other->job == JOB_NONE || other->job == JOB_RELOAD) return false;
  if (unit_ordered(other, unit)) return unit->job == JOB_START || unit->job == JOB_RELOAD;
  if (unit_ordered(unit, other)) return is_stopping(other->job);
  return false;
}

static bool is_runnable(const Unit *unit) {
  for (Unit *other = units; other; other = other->next)
    if (waits_for(unit, other)) return false;
  return true;
}

/* What the unit requires and is ordered after has to be up by now. */
static Unit *missing_requirement(const Unit *unit) {
  Dependency must[] = {DEP_REQUIRES, DEP_BINDS_TO, DEP_REQUISITE};
  for (size_t i = 0; i < COUNT_OF(must); i++)
    for (size_t j = 0; j < unit->dependencies[must[i]].count; j++) {
      Unit *other = unit_get(unit->dependencies[must[i]].items[j]);
      if (unit_is_up(other) || other->condition_failed) continue;
      if (must[i] == DEP_REQUISITE || unit_ordered(other, unit)) return other;
    }
  return NULL;
}

static void start_unit(Unit *unit) {
  if (unit_is_up(unit)) {
    job_finish(unit, RESULT_DONE);
    return;
  }
  if (missing_requirement(unit)) {
    job_finish(unit, RESULT_DEPENDENCY);
    return;
  }
  char *condition = condition_unmet(unit);
  unit->condition_failed = condition != NULL;
  if (condition) {
    journal_format(unit->name, PRIORITY_INFO, "%s was skipped because of an unmet condition check (%s).", unit_description(unit), condition);
    free(condition);
    job_finish(unit, RESULT_SKIPPED);
    return;
  }
  switch (unit->kind) {
    case UNIT_SERVICE: service_start(unit); break;
    case UNIT_TIMER: timer_start(unit); break;
    case UNIT_SOCKET: socket_start(unit); break;
    case UNIT_TARGET:
      unit_set_state(unit, STATE_ACTIVE, "active");
      manager_status("OK", "Reached target %s.", unit_description(unit));
      journal_format(unit->name, PRIORITY_INFO, "Reached target %s.", unit_description(unit));
      job_finish(unit, RESULT_DONE);
      break;
    case UNIT_OTHER:
      journal_format(unit->name, PRIORITY_WARNING, "%s: this supervisor does not run units of this kind; it counts as active.", unit->name);
      unit_set_state(unit, STATE_ACTIVE, "active");
      job_finish(unit, RESULT_DONE);
      break;
  }
}

static void stop_unit(Unit *unit) {
  if (is_down(unit)) {
    job_finish(unit, RESULT_DONE);
    return;
  }
  switch (unit->kind) {
    case UNIT_SERVICE: service_stop(unit); break;
    case UNIT_TIMER: timer_stop(unit); break;
    case UNIT_SOCKET: socket_stop(unit); break;
    case UNIT_TARGET: journal_format(unit->name, PRIORITY_INFO, "Stopped target %s.", unit_description(unit)); /* fall through */
    case UNIT_OTHER:
      unit_set_state(unit, STATE_INACTIVE, "dead");
      job_finish(unit, RESULT_DONE);
      break;
  }
}

static void run_job(Unit *unit) {
  unit->job_running = true;
  switch (unit->job) {
    case JOB_START: start_unit(unit); break;
    case JOB_STOP:
    case JOB_RESTART: stop_unit(unit); break;
    case JOB_RELOAD:
      if (unit->kind == UNIT_SERVICE && unit_is_up(unit)) {
        service_reload(unit);
      } else {
        job_finish(unit, RESULT_FAILED);
      }
      break;
    case JOB_NONE: break;
  }
}

bool jobs_idle(void) {
  for (Unit *unit = units; unit; unit = unit->next)
    if (unit->job != JOB_NONE) return false;
  return true;
}

/* Every waiting job waits for another waiting one: one of them has to go, as in systemd. */
static void break_cycle(void) {
  Unit *victim = NULL;
  for (Unit *unit = units; unit; unit = unit->next) {
    if (unit->job == JOB_NONE) continue;
    if (unit->job_running) return;
    if (!victim || (victim->kind == UNIT_TARGET && unit->kind != UNIT_TARGET)) victim = unit;
  }
  if (!victim) return;
  journal_format(victim->name, PRIORITY_ERROR, "%s: Found ordering cycle; job %s deleted to break it.", victim->name, victim->name);
  job_finish(victim, RESULT_CANCELED);
}

void jobs_run(void) {
  for (;;) {
    bool progress = false;
    for (Unit *unit = units; unit; unit = unit->next) {
      if (unit->job == JOB_NONE || unit->job_running || !is_runnable(unit)) continue;
      run_job(unit);
      progress = true;
    }
    if (progress) continue;
    size_t waiting = 0, running = 0;
    for (Unit *unit = units; unit; unit = unit->next) {
      waiting += unit->job != JOB_NONE && !unit->job_running;
      running += unit->job_running;
    }
    if (!waiting || running) return;
    break_cycle();
  }
}

/* ---- states ---- */

void jobs_announce(void) {
  for (Unit *unit = units; unit; unit = unit->next) {
    if (!unit->unannounced) continue;
    unit->unannounced = false;
    host_event("unit", unit->name, load_names[unit->load], active_names[unit->active], unit->sub, unit->result, NULL);
  }
}

/* Units bound to one that went down without being asked to go with it. */
static void stop_bound(Unit *unit) {
  for (Unit *other = units; other; other = other->next) {
    bool bound = unit_depends(other, DEP_BINDS_TO, unit);
    if (!bound || is_down(other) || other->job == JOB_STOP) continue;
    char *problem = NULL;
    job_request(other, JOB_STOP, NULL, &problem);
    free(problem);
  }
}

void unit_set_state(Unit *unit, ActiveState active, const char *sub) {
  ActiveState before = unit->active;
  if (before == active && unit->sub == sub) return;
  bool was_up = unit_is_up(unit);
  unit->active = active;
  unit->sub = sub;
  unit->changed_at = realtime_us();
  if ((before == STATE_INACTIVE || before == STATE_FAILED) && !is_down(unit)) unit->began_at = monotonic_us();
  if (before != STATE_INACTIVE && before != STATE_FAILED && is_down(unit)) unit->inactive_since = monotonic_us();
  unit->unannounced = true;
  if (before != active && is_down(unit)) {
    if (was_up || before == STATE_DEACTIVATING) stop_bound(unit);
    if (active == STATE_FAILED) start_listed(unit, DEP_ON_FAILURE);
    if (active == STATE_INACTIVE && was_up) start_listed(unit, DEP_ON_SUCCESS);
  }
  if (before != active) timers_unit_changed(unit);
}

void unit_reset_failed(Unit *unit) {
  if (unit->active == STATE_FAILED) {
    unit->result = "success";
    unit_set_state(unit, STATE_INACTIVE, "dead");
  }
  if (unit->service) service_reset_limit(unit);
}
