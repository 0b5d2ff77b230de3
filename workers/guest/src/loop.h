/*
 * The event loop of the agent and of the supervisor: file descriptors with call-backs, deadlines, children that ended.
 * One loop a process. A call-back may add and remove anything, itself included.
 */
#ifndef LOOP_H
#define LOOP_H

#include "util.h"

typedef struct Watch Watch;
typedef void WatchFunction(void *owner, short events);

/* `events` are EPOLLIN and EPOLLOUT; errors and hang-ups are always told. The descriptor stays the caller's. */
Watch *watch_add(int fd, short events, WatchFunction *function, void *owner);
void watch_events(Watch *watch, short events);
/* NULL is fine. Sets nothing in the caller: clear your own pointer. */
void watch_remove(Watch *watch);

/* A deadline, embedded in its owner; zero it before the first use. */
typedef struct Deadline {
  struct Deadline *next;
  int64_t at;
  void (*function)(void *owner);
  void *owner;
  bool armed;
} Deadline;

/* `at` is on the monotonic clock, in microseconds. Setting an armed deadline moves it. */
void deadline_set(Deadline *deadline, int64_t at, void (*function)(void *owner), void *owner);
void deadline_cancel(Deadline *deadline);

/* Blocks the signals of `signals` and calls back for each that arrives. */
void loop_signals(const int *signals, size_t count, void (*function)(int signal));
/* Calls `function` after each round, before the next wait. */
void loop_idle(void (*function)(void));
/* Waits and calls back until loop_stop; then returns and can be run again. */
void loop_run(void);
void loop_stop(void);
/*
 * After fork, in the child that goes on with the loop: makes the epoll set and the signal descriptor anew. Both would otherwise stay the
 * parent's (a signalfd in an epoll set reports the signals of the process that added it).
 */
void loop_after_fork(void);

/* For a forked child about to execute something else: default handlers, nothing blocked. */
void signals_reset(void);

#endif
