/* Timer units; see timer.h. */
#include "timer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>

#include "calendar.h"
#include "jobs.h"
#include "journal.h"
#include "manager.h"

/* Where Persistent= timers leave the time of their last run, as systemd does. */
#define STAMPS "/var/lib/systemd/timers"

struct Timer {
  Deadline deadline;
  /* Monotonic; 0: none. */
  int64_t started, next;
  /* Real time. */
  int64_t last;
};

static void elapsed(void *owner);

static Unit *triggered(const Unit *unit) {
  const Strings *names = &unit->dependencies[DEP_TRIGGERS];
  return names->count ? unit_get(names->items[0]) : NULL;
}

static void consider(int64_t *best, int64_t at) {
  if (at >= 0 && (*best < 0 || at < *best)) *best = at;
}

/* The moment that a key with a base asks for; `base` 0: has not happened. One that has passed counts only when `late`, and is now. */
static void consider_base(const Unit *unit, const char *key, int64_t base, bool late, int64_t *best) {
  Strings values = unit_file_all(&unit->file, "Timer", key);
  for (size_t i = 0; i < values.count && base > 0; i++) {
    int64_t span, now = monotonic_us();
    if (!parse_span(values.items[i], &span) || span < 0) continue;
    int64_t at = base + span;
    if (at > now || late) consider(best, at > now ? at : now);
  }
  free(values.items);
}

static char *stamp_path(const Unit *unit) {
  return format_text(STAMPS "/stamp-%s", unit->name);
}

static void consider_calendar(const Unit *unit, int64_t *best) {
  Strings values = unit_file_all(&unit->file, "Timer", "OnCalendar");
  int64_t real = realtime_us(), now = monotonic_us(), from = real;
  struct stat stamp;
  char *path = stamp_path(unit);
  if (unit_file_bool(&unit->file, "Timer", "Persistent", false) && !stat(path, &stamp)) from = stamp.st_mtime * SECOND_US;
  free(path);
  for (size_t i = 0; i < values.count; i++) {
    int64_t at = calendar_next(values.items[i], from);
    if (at == -2) journal_format(unit->name, PRIORITY_WARNING, "%s: Failed to parse calendar specification, ignoring: %s", unit->name, values.items[i]);
    if (at >= 0) consider(best, at > real ? now + (at - real) : now);
  }
  free(values.items);
}

static void schedule(Unit *unit) {
  Timer *timer = unit->timer;
  const Unit *other = triggered(unit);
  int64_t best = -1;
  bool first = !timer->last;
  consider_base(unit, "OnActiveSec", timer->started, first, &best);
  /* The monotonic clock starts with the kernel; a machine restored from its image was booted when the supervisor started. */
  consider_base(unit, "OnBootSec", manager_started(), first, &best);
  consider_base(unit, "OnStartupSec", manager_started(), first, &best);
  bool running = other && other->active != STATE_INACTIVE && other->active != STATE_FAILED;
  /* A unit that runs longer than its interval is started again when it has ended. */
  if (!running || other->active == STATE_ACTIVE) consider_base(unit, "OnUnitActiveSec", other ? other->began_at : 0, !running, &best);
  if (!running) consider_base(unit, "OnUnitInactiveSec", other ? other->inactive_since : 0, true, &best);
  consider_calendar(unit, &best);
  timer->next = best < 0 ? 0 : best;
  deadline_cancel(&timer->deadline);
  if (best >= 0) deadline_set(&timer->deadline, best, elapsed, unit);
  unit_set_state(unit, STATE_ACTIVE, running ? "running" : best >= 0 ? "waiting" : "elapsed");
}

static void touch_stamp(const Unit *unit) {
  if (!unit_file_bool(&unit->file, "Timer", "Persistent", false)) return;
  char *path = stamp_path(unit);
  make_directories(STAMPS, 0755);
  if (!write_file(path, "", 0644) || utime(path, NULL) < 0) complain("%s", path);
  free(path);
}

static void elapsed(void *owner) {
  Unit *unit = owner, *other = triggered(unit);
  char *problem = NULL;
  unit->timer->last = realtime_us();
  touch_stamp(unit);
  if (other && !job_request(other, JOB_START, NULL, &problem)) journal_format(unit->name, PRIORITY_WARNING, "%s: Failed to queue unit startup job: %s", unit->name, problem);
  free(problem);
  schedule(unit);
}

void timer_start(Unit *unit) {
  if (!unit->timer) unit->timer = allocate(sizeof *unit->timer);
  unit->timer->started = monotonic_us();
  unit->result = "success";
  schedule(unit);
  manager_status("OK", "Started %s.", unit_description(unit));
  journal_format(unit->name, PRIORITY_INFO, "Started %s.", unit_description(unit));
  job_finish(unit, RESULT_DONE);
}

void timer_stop(Unit *unit) {
  deadline_cancel(&unit->timer->deadline);
  unit->timer->next = 0;
  unit_set_state(unit, STATE_INACTIVE, "dead");
  journal_format(unit->name, PRIORITY_INFO, "Stopped %s.", unit_description(unit));
  job_finish(unit, RESULT_DONE);
}

void timers_unit_changed(const Unit *unit) {
  for (Unit *other = units; other; other = other->next)
    if (other->timer && other->active == STATE_ACTIVE && unit_depends(other, DEP_TRIGGERS, unit)) schedule(other);
}

void timer_times(const Unit *unit, int64_t *next, int64_t *last) {
  *next = unit->timer && unit->timer->next ? realtime_us() + unit->timer->next - monotonic_us() : 0;
  *last = unit->timer ? unit->timer->last : 0;
}
