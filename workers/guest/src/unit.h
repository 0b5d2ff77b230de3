/*
 * Units as the supervisor knows them: what their files say, what depends on what, and in which state each is. Every unit that was
 * ever asked for stays in memory; a reload reads the files again and leaves the states alone.
 */
#ifndef UNIT_H
#define UNIT_H

#include "loop.h"
#include "unit-file.h"
#include "util.h"

typedef enum { UNIT_SERVICE, UNIT_TARGET, UNIT_TIMER, UNIT_SOCKET, UNIT_OTHER } UnitKind;
typedef enum { LOAD_LOADED, LOAD_NOT_FOUND, LOAD_MASKED, LOAD_BAD } LoadState;
typedef enum { STATE_INACTIVE, STATE_ACTIVATING, STATE_ACTIVE, STATE_RELOADING, STATE_DEACTIVATING, STATE_FAILED } ActiveState;
typedef enum { JOB_NONE, JOB_START, JOB_STOP, JOB_RESTART, JOB_RELOAD } JobKind;
typedef enum { RESULT_DONE, RESULT_FAILED, RESULT_DEPENDENCY, RESULT_CANCELED, RESULT_SKIPPED, RESULT_NOT_FOUND } JobResult;

typedef enum {
  DEP_REQUIRES,
  DEP_REQUISITE,
  DEP_WANTS,
  DEP_BINDS_TO,
  DEP_PART_OF,
  DEP_UPHOLDS,
  DEP_CONFLICTS,
  DEP_BEFORE,
  DEP_AFTER,
  DEP_ON_FAILURE,
  DEP_ON_SUCCESS,
  /* A timer's or a socket's unit. */
  DEP_TRIGGERS,
  DEP_COUNT,
} Dependency;

typedef struct Unit Unit;
typedef struct Service Service;
typedef struct Timer Timer;
typedef struct Socket Socket;

struct Unit {
  Unit *next;
  char *name;
  UnitKind kind;
  LoadState load;
  /* Why `load` is LOAD_BAD. */
  char *problem;
  UnitFile file;
  Strings dependencies[DEP_COUNT];
  ActiveState active;
  const char *sub;
  /* The last run's result, systemd's word; `success` when there was none. */
  const char *result;
  /* When it last began to start and when it last went down (monotonic, 0 never), and the last change (real time). */
  int64_t began_at, inactive_since, changed_at;
  JobKind job;
  bool job_running, condition_failed;
  /* The host has not been told the state yet. */
  bool unannounced;
  Service *service;
  Timer *timer;
  Socket *socket;
};

extern Unit *units;

/* The loaded unit of this name (aliases followed), read from its files when it is new. Never NULL. */
Unit *unit_get(const char *name);
/* The same without reading anything; NULL when it is not in memory. */
Unit *unit_known(const char *name);
/* Reads every unit's files again. */
void units_reload(void);
/* After each round of the main loop: which files there are is asked again. */
void units_forget_listing(void);
/* What people call it: Description=, else its name. */
const char *unit_description(const Unit *unit);
/* Whether `earlier` has to be up before `later` starts (After= of the one or Before= of the other). */
bool unit_ordered(const Unit *earlier, const Unit *later);
bool unit_depends(const Unit *unit, Dependency kind, const Unit *on);
bool unit_is_up(const Unit *unit);
/* `text` with the specifiers (%n, %i, …) put in. Owned. */
char *unit_expand(const Unit *unit, const char *text);
bool unit_name_valid(const char *name);
/* Adds `.service` to a name without a known suffix. Owned. */
char *unit_full_name(const char *name);

extern const char *const load_names[], *const active_names[];
extern const char *const dependency_names[DEP_COUNT];

/* Where unit files lie, in order of precedence. */
extern const char *const unit_directories[];

#endif
