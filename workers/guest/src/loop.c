/* The event loop; see loop.h. */
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct Watch {
  Watch *next;
  int fd;
  short events;
  WatchFunction *function;
  void *owner;
  /* A removed watch is freed after the round: its event may be waiting in the batch just fetched. */
  bool removed;
};

static int epoll_fd = -1, signal_fd = -1;
static Watch *watches;
static Deadline *deadlines;
static Watch *signal_watch;
static sigset_t signal_set;
static void (*signal_function)(int);
static void (*idle_function)(void);
static bool stopping;

static int poller(void) {
  if (epoll_fd < 0) epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  return epoll_fd;
}

static void enter(Watch *watch) {
  struct epoll_event event = {.events = watch->events, .data.ptr = watch};
  if (epoll_ctl(poller(), EPOLL_CTL_ADD, watch->fd, &event) < 0) complain("cannot watch descriptor %d", watch->fd);
}

Watch *watch_add(int fd, short events, WatchFunction *function, void *owner) {
  Watch *watch = allocate(sizeof *watch);
  *watch = (Watch){.next = watches, .fd = fd, .events = events, .function = function, .owner = owner};
  watches = watch;
  enter(watch);
  return watch;
}

void watch_events(Watch *watch, short events) {
  if (watch->events == events) return;
  watch->events = events;
  struct epoll_event event = {.events = events, .data.ptr = watch};
  epoll_ctl(poller(), EPOLL_CTL_MOD, watch->fd, &event);
}

void watch_remove(Watch *watch) {
  if (!watch || watch->removed) return;
  epoll_ctl(poller(), EPOLL_CTL_DEL, watch->fd, NULL);
  watch->removed = true;
}

static void free_removed(void) {
  for (Watch **link = &watches; *link;) {
    Watch *watch = *link;
    if (watch->removed) {
      *link = watch->next;
      free(watch);
    } else {
      link = &watch->next;
    }
  }
}

void deadline_cancel(Deadline *deadline) {
  if (!deadline->armed) return;
  deadline->armed = false;
  for (Deadline **link = &deadlines; *link; link = &(*link)->next)
    if (*link == deadline) {
      *link = deadline->next;
      return;
    }
}

void deadline_set(Deadline *deadline, int64_t at, void (*function)(void *owner), void *owner) {
  deadline_cancel(deadline);
  Deadline **link = &deadlines;
  while (*link && (*link)->at <= at) link = &(*link)->next;
  *deadline = (Deadline){.next = *link, .at = at, .function = function, .owner = owner, .armed = true};
  *link = deadline;
}

static void run_deadlines(void) {
  int64_t now = monotonic_us();
  while (deadlines && deadlines->at <= now) {
    Deadline *due = deadlines;
    deadlines = due->next;
    due->armed = false;
    due->function(due->owner);
  }
}

/* Milliseconds to the next deadline, rounded up so that it is due when the wait ends. */
static int wait_time(void) {
  if (!deadlines) return -1;
  int64_t left = deadlines->at - monotonic_us();
  if (left <= 0) return 0;
  int64_t milliseconds = (left + 999) / 1000;
  return milliseconds > 3600000 ? 3600000 : (int)milliseconds;
}

static void read_signals(void *owner, short events) {
  (void)owner, (void)events;
  struct signalfd_siginfo info;
  while (read(signal_fd, &info, sizeof info) == sizeof info) signal_function((int)info.ssi_signo);
}

static void open_signals(void) {
  signal_fd = signalfd(-1, &signal_set, SFD_CLOEXEC | SFD_NONBLOCK);
  signal_watch = watch_add(signal_fd, EPOLLIN, read_signals, NULL);
}

void loop_signals(const int *signals, size_t count, void (*function)(int signal)) {
  sigemptyset(&signal_set);
  for (size_t i = 0; i < count; i++) sigaddset(&signal_set, signals[i]);
  sigprocmask(SIG_BLOCK, &signal_set, NULL);
  signal_function = function;
  open_signals();
}

void loop_idle(void (*function)(void)) {
  idle_function = function;
}

void loop_run(void) {
  stopping = false;
  while (!stopping) {
    if (idle_function) idle_function();
    struct epoll_event events[32];
    int count = epoll_wait(poller(), events, COUNT_OF(events), wait_time());
    for (int i = 0; i < count && !stopping; i++) {
      Watch *watch = events[i].data.ptr;
      if (!watch->removed) watch->function(watch->owner, (short)events[i].events);
    }
    if (!stopping) run_deadlines();
    free_removed();
  }
}

void loop_stop(void) {
  stopping = true;
}

void loop_after_fork(void) {
  close(epoll_fd);
  close(signal_fd);
  epoll_fd = -1;
  signal_watch->removed = true;
  free_removed();
  for (Watch *watch = watches; watch; watch = watch->next) enter(watch);
  open_signals();
}

void signals_reset(void) {
  for (int i = 1; i < NSIG; i++) signal(i, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}
