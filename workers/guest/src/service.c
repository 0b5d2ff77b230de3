/* Services: the state machine; see service.h. */
#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jobs.h"
#include "journal.h"
#include "manager.h"
#include "socket-unit.h"
#include "spawn.h"

#define GROUPS "/sys/fs/cgroup/system.slice"

enum { START_HISTORY = 32 };

typedef enum {
  SERVICE_DEAD,
  SERVICE_CONDITION,
  SERVICE_START_PRE,
  SERVICE_START,
  SERVICE_START_POST,
  SERVICE_RUNNING,
  SERVICE_EXITED,
  SERVICE_RELOAD,
  SERVICE_STOP,
  SERVICE_STOP_SIGTERM,
  SERVICE_STOP_SIGKILL,
  SERVICE_STOP_POST,
  SERVICE_FAILED,
  SERVICE_AUTO_RESTART,
} ServiceState;

/* For each state: what the unit shows, and the commands that run in it (one after the other, as control processes). */
static const struct {
  ActiveState active;
  const char *sub, *commands;
} states[] = {
    [SERVICE_DEAD] = {STATE_INACTIVE, "dead", NULL},
    [SERVICE_CONDITION] = {STATE_ACTIVATING, "condition", "ExecCondition"},
    [SERVICE_START_PRE] = {STATE_ACTIVATING, "start-pre", "ExecStartPre"},
    [SERVICE_START] = {STATE_ACTIVATING, "start", "ExecStart"},
    [SERVICE_START_POST] = {STATE_ACTIVATING, "start-post", "ExecStartPost"},
    [SERVICE_RUNNING] = {STATE_ACTIVE, "running", NULL},
    [SERVICE_EXITED] = {STATE_ACTIVE, "exited", NULL},
    [SERVICE_RELOAD] = {STATE_RELOADING, "reload", "ExecReload"},
    [SERVICE_STOP] = {STATE_DEACTIVATING, "stop", "ExecStop"},
    [SERVICE_STOP_SIGTERM] = {STATE_DEACTIVATING, "stop-sigterm", NULL},
    [SERVICE_STOP_SIGKILL] = {STATE_DEACTIVATING, "stop-sigkill", NULL},
    [SERVICE_STOP_POST] = {STATE_DEACTIVATING, "stop-post", "ExecStopPost"},
    [SERVICE_FAILED] = {STATE_FAILED, "failed", NULL},
    [SERVICE_AUTO_RESTART] = {STATE_ACTIVATING, "auto-restart", NULL},
};

struct Service {
  ServiceState state;
  pid_t main_pid, control_pid, last_main_pid;
  int main_status;
  bool main_ended;
  /* Of the command that runs: its place in the state's list, and whether its failure counts. */
  size_t command;
  bool ignore_failure;
  /* Somebody asked for the stop: no restart. */
  bool stop_requested, skipped, started, reload_failed;
  const char *result;
  Deadline deadline;
  int64_t starts[START_HISTORY];
  size_t start_count;
  unsigned restarts;
  char *status_text;
  /* The control process that failed this run, for `systemctl status`. */
  char *failed_command;
  pid_t failed_pid;
  int failed_status;
  int executed;
  Watch *executed_watch;
};

static void enter(Unit *unit, ServiceState state);
static void run_next(Unit *unit);
static void enter_stop(Unit *unit);
static void enter_signal(Unit *unit, ServiceState state);

/* ---- small questions ---- */

static const char *get(const Unit *unit, const char *key) {
  return unit_file_get(&unit->file, "Service", key);
}

static bool is_type(const Unit *unit, const char *type) {
  const char *value = get(unit, "Type");
  return !strcmp(value ? value : get(unit, "ExecStart") ? "simple" : "oneshot", type);
}

static bool notifies(const Unit *unit) {
  return is_type(unit, "notify") || is_type(unit, "notify-reload");
}

static bool remains(const Unit *unit) {
  return unit_file_bool(&unit->file, "Service", "RemainAfterExit", false);
}

static int64_t span(const Unit *unit, const char *key, int64_t absent) {
  return unit_file_span(&unit->file, "Service", key, absent);
}

const char *signal_name(int signal) {
  static const char *const names[] = {"0",    "HUP",  "INT",  "QUIT", "ILL",  "TRAP", "ABRT", "BUS",  "FPE",  "KILL", "USR1",   "SEGV", "USR2", "PIPE",  "ALRM", "TERM",
                                      "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",  "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR",  "SYS"};
  return signal > 0 && signal < (int)COUNT_OF(names) ? names[signal] : "?";
}

static int signal_number(const char *text) {
  if (starts_with(text, "SIG")) text += 3;
  for (int i = 1; i < 32; i++)
    if (!strcmp(signal_name(i), text)) return i;
  return atoi(text);
}

/* Whether a list of exit codes and signal names holds this end. */
static bool status_listed(const Unit *unit, const char *key, int status) {
  Strings words = {0};
  unit_file_words(&unit->file, "Service", key, &words);
  bool found = false;
  for (size_t i = 0; i < words.count && !found; i++) {
    const char *word = words.items[i], *name = WIFEXITED(status) ? exit_code_name(WEXITSTATUS(status)) : NULL;
    bool number = *word >= '0' && *word <= '9';
    if (WIFEXITED(status)) found = number ? atoi(word) == WEXITSTATUS(status) : name && !strcmp(word, name);
    if (WIFSIGNALED(status)) found = !number && signal_number(word) == WTERMSIG(status);
  }
  strings_free(&words);
  return found;
}

static bool is_success(const Unit *unit, int status, bool main) {
  if (WIFEXITED(status) && !WEXITSTATUS(status)) return true;
  if (main && status_listed(unit, "SuccessExitStatus", status)) return true;
  if (!main || !WIFSIGNALED(status) || is_type(unit, "oneshot")) return false;
  int signal = WTERMSIG(status);
  return signal == SIGHUP || signal == SIGINT || signal == SIGTERM || signal == SIGPIPE;
}

static const char *failure_result(int status) {
  return WIFEXITED(status) ? "exit-code" : WCOREDUMP(status) ? "core-dump" : "signal";
}

pid_t service_main_pid(const Unit *unit) {
  return unit->service ? unit->service->main_pid : 0;
}

const char *service_status_text(const Unit *unit) {
  return unit->service ? unit->service->status_text : NULL;
}

bool service_main_status(const Unit *unit, pid_t *pid, int *status) {
  if (!unit->service || !unit->service->main_ended) return false;
  *pid = unit->service->last_main_pid;
  *status = unit->service->main_status;
  return true;
}

const char *service_failed_command(const Unit *unit, pid_t *pid, int *status) {
  if (!unit->service || !unit->service->failed_command) return NULL;
  *pid = unit->service->failed_pid;
  *status = unit->service->failed_status;
  return unit->service->failed_command;
}

void service_reset_limit(Unit *unit) {
  unit->service->start_count = 0;
  unit->service->restarts = 0;
}

/* ---- control groups ---- */

char *unit_group(const Unit *unit) {
  return format_text(GROUPS "/%s", unit->name);
}

void unit_processes(const Unit *unit, Strings *pids) {
  char *group = unit_group(unit), *path = format_text("%s/cgroup.procs", group), *text = read_file(path, NULL);
  strings_split(pids, text ? text : "", "\n");
  free(text);
  free(path);
  free(group);
}

static bool group_is_empty(const Unit *unit) {
  Strings pids = {0};
  unit_processes(unit, &pids);
  bool empty = !pids.count;
  strings_free(&pids);
  return empty;
}

static void write_group(const char *group, const char *file, const char *value) {
  char *path = format_text("%s/%s", group, file);
  if (!write_file(path, value, 0644)) complain("%s: %s", path, strerror(errno));
  free(path);
}

static void make_group(const Unit *unit) {
  static const struct {
    const char *key, *file;
  } limits[] = {{"MemoryMax", "memory.max"}, {"MemoryHigh", "memory.high"}, {"TasksMax", "pids.max"}, {"CPUWeight", "cpu.weight"}};
  if (mkdir(GROUPS, 0755) == 0) write_group(GROUPS, "cgroup.subtree_control", "+memory +pids +cpu");
  char *group = unit_group(unit);
  mkdir(group, 0755);
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    const char *value = get(unit, limits[i].key);
    if (value) write_group(group, limits[i].file, !strcmp(value, "infinity") ? "max" : value);
  }
  free(group);
}

static void remove_group(const Unit *unit) {
  char *group = unit_group(unit);
  rmdir(group);
  free(group);
}

static void signal_group(const Unit *unit, int signal) {
  Strings pids = {0};
  unit_processes(unit, &pids);
  for (size_t i = 0; i < pids.count; i++) {
    pid_t pid = atoi(pids.items[i]);
    if (pid <= 1) continue;
    kill(pid, signal);
    if (signal != SIGKILL) kill(pid, SIGCONT);
  }
  strings_free(&pids);
}

/* ---- processes ---- */

static void add_environment(const Unit *unit, Spawn *spawn) {
  const Service *service = unit->service;
  Strings *list = &spawn->environment;
  if (service->main_pid) strings_format(list, "MAINPID=%d", (int)service->main_pid);
  if (notifies(unit)) strings_add(list, "NOTIFY_SOCKET=/run/systemd/notify");
  strings_format(list, "INVOCATION_ID=%.8s%016llx%08x", boot_id(), (unsigned long long)unit->changed_at, (unsigned)service->restarts);
  if (service->state != SERVICE_STOP && service->state != SERVICE_STOP_POST) return;
  strings_format(list, "SERVICE_RESULT=%s", service->result);
  if (!service->main_ended) return;
  int status = service->main_status;
  strings_format(list, "EXIT_CODE=%s", WIFEXITED(status) ? "exited" : "killed");
  if (WIFEXITED(status)) {
    strings_format(list, "EXIT_STATUS=%d", WEXITSTATUS(status));
  } else {
    strings_format(list, "EXIT_STATUS=%s", signal_name(WTERMSIG(status)));
  }
}

static void executed_ready(void *owner, short events) {
  (void)events;
  Unit *unit = owner;
  Service *service = unit->service;
  char byte;
  bool failed = read(service->executed, &byte, 1) == 1;
  watch_remove(service->executed_watch);
  service->executed_watch = NULL;
  close(service->executed);
  if (!failed && service->state == SERVICE_START) enter(unit, SERVICE_START_POST);
}

static void close_executed(Service *service) {
  if (!service->executed_watch) return;
  watch_remove(service->executed_watch);
  service->executed_watch = NULL;
  close(service->executed);
}

static pid_t run_command(Unit *unit, const char *line) {
  CommandLine command;
  const char *problem;
  if (!parse_command_line(line, &command, &problem)) return -1;
  Service *service = unit->service;
  service->ignore_failure = command.ignore_failure;
  Spawn request = {.command = &command, .executed = -1};
  int executed[2] = {-1, -1};
  if (service->state == SERVICE_START && is_type(unit, "exec") && !pipe2(executed, O_CLOEXEC)) request.executed = executed[1];
  request.socket_count = socket_descriptors(unit, &request.sockets);
  add_environment(unit, &request);
  pid_t pid = spawn(unit, &request);
  if (executed[1] >= 0) {
    close(executed[1]);
    close_executed(service);
    service->executed = executed[0];
    service->executed_watch = watch_add(executed[0], EPOLLIN, executed_ready, unit);
  }
  strings_free(&request.environment);
  command_line_free(&command);
  return pid;
}

/* ---- states ---- */

static void set_state(Unit *unit, ServiceState state) {
  unit->service->state = state;
  unit->result = unit->service->result;
  unit_set_state(unit, states[state].active, states[state].sub);
}

static void fail(Unit *unit, const char *result) {
  if (!strcmp(unit->service->result, "success")) unit->service->result = result;
}

static void timed_out(void *owner) {
  Unit *unit = owner;
  Service *service = unit->service;
  switch (service->state) {
    case SERVICE_CONDITION:
    case SERVICE_START_PRE:
    case SERVICE_START:
    case SERVICE_START_POST:
      journal_format(unit->name, PRIORITY_WARNING, "%s: %s operation timed out. Terminating.", unit->name, states[service->state].sub);
      fail(unit, "timeout");
      enter_signal(unit, SERVICE_STOP_SIGTERM);
      break;
    case SERVICE_RELOAD:
      journal_format(unit->name, PRIORITY_WARNING, "%s: Reload operation timed out. Killing reload process.", unit->name);
      if (service->control_pid) kill(service->control_pid, SIGKILL);
      break;
    case SERVICE_STOP:
    case SERVICE_STOP_POST:
      journal_format(unit->name, PRIORITY_WARNING, "%s: Stopping timed out. Terminating.", unit->name);
      fail(unit, "timeout");
      if (service->control_pid) kill(service->control_pid, SIGKILL);
      break;
    case SERVICE_STOP_SIGTERM: {
      bool kills = unit_file_bool(&unit->file, "Service", "SendSIGKILL", true);
      journal_format(unit->name, PRIORITY_WARNING, "%s: State 'stop-sigterm' timed out. %s.", unit->name, kills ? "Killing" : "Skipping SIGKILL");
      fail(unit, "timeout");
      if (kills) {
        enter_signal(unit, SERVICE_STOP_SIGKILL);
      } else {
        enter(unit, SERVICE_STOP_POST);
      }
      break;
    }
    case SERVICE_AUTO_RESTART: {
      char *problem = NULL;
      service->restarts++;
      journal_format(unit->name, PRIORITY_INFO, "%s: Scheduled restart job, restart counter is at %u.", unit->name, service->restarts);
      if (!job_request(unit, JOB_START, NULL, &problem)) journal_format(unit->name, PRIORITY_ERROR, "%s: %s", unit->name, problem);
      free(problem);
      break;
    }
    default: break;
  }
}

static int64_t start_timeout(const Unit *unit) {
  int64_t absent = is_type(unit, "oneshot") ? -1 : 90 * SECOND_US;
  return span(unit, "TimeoutStartSec", span(unit, "TimeoutSec", absent));
}

static int64_t stop_timeout(const Unit *unit) {
  return span(unit, "TimeoutStopSec", span(unit, "TimeoutSec", 90 * SECOND_US));
}

static void arm(Unit *unit, int64_t after) {
  if (after < 0) {
    deadline_cancel(&unit->service->deadline);
  } else {
    deadline_set(&unit->service->deadline, monotonic_us() + after, timed_out, unit);
  }
}

/* Into a state whose commands run one after the other. */
static void enter(Unit *unit, ServiceState state) {
  unit->service->command = 0;
  set_state(unit, state);
  arm(unit, state >= SERVICE_STOP ? stop_timeout(unit) : start_timeout(unit));
  run_next(unit);
}

static void log_started(Unit *unit) {
  const char *verb = is_type(unit, "oneshot") ? "Finished" : "Started";
  manager_status("OK", "%s %s.", verb, unit_description(unit));
  journal_format(unit->name, PRIORITY_INFO, "%s %s.", verb, unit_description(unit));
}

static void start_finished(Unit *unit) {
  Service *service = unit->service;
  service->started = true;
  arm(unit, -1);
  log_started(unit);
  if (service->main_pid) {
    set_state(unit, SERVICE_RUNNING);
    job_finish(unit, RESULT_DONE);
  } else if (remains(unit) && !strcmp(service->result, "success")) {
    set_state(unit, SERVICE_EXITED);
    job_finish(unit, RESULT_DONE);
  } else {
    /* The job is done although the unit goes down again at once: a one-shot has done its work. */
    job_finish(unit, RESULT_DONE);
    enter_stop(unit);
  }
}

static bool should_restart(const Unit *unit) {
  const Service *service = unit->service;
  const char *policy = get(unit, "Restart");
  if (service->stop_requested || service->skipped) return false;
  if (service->main_ended && status_listed(unit, "RestartPreventExitStatus", service->main_status)) return false;
  if (service->main_ended && status_listed(unit, "RestartForceExitStatus", service->main_status)) return true;
  if (!policy || !strcmp(policy, "no")) return false;
  if (!strcmp(policy, "always")) return true;
  const char *result = service->result;
  bool success = !strcmp(result, "success"), signal = !strcmp(result, "signal") || !strcmp(result, "core-dump"), timeout = !strcmp(result, "timeout");
  if (!strcmp(policy, "on-success")) return success;
  if (!strcmp(policy, "on-failure")) return !success;
  if (!strcmp(policy, "on-abnormal")) return signal || timeout;
  return !strcmp(policy, "on-abort") && signal;
}

/* Everything of the service is gone. */
static void finish_stop(Unit *unit) {
  Service *service = unit->service;
  bool success = !strcmp(service->result, "success"), restart = should_restart(unit);
  arm(unit, -1);
  close_executed(service);
  remove_group(unit);
  spawn_remove_runtime_directories(unit);
  if (success) {
    if (!service->skipped) journal_format(unit->name, PRIORITY_INFO, "%s: Deactivated successfully.", unit->name);
  } else {
    journal_format(unit->name, PRIORITY_WARNING, "%s: Failed with result '%s'.", unit->name, service->result);
  }
  JobKind job = unit->job;
  if (job == JOB_START && !service->started && !service->skipped) {
    manager_status("FAILED", "Failed to start %s.", unit_description(unit));
    journal_format(unit->name, PRIORITY_ERROR, "Failed to start %s.", unit_description(unit));
  }
  if (job == JOB_STOP || job == JOB_RESTART) journal_format(unit->name, PRIORITY_INFO, "Stopped %s.", unit_description(unit));
  set_state(unit, restart ? SERVICE_AUTO_RESTART : success ? SERVICE_DEAD : SERVICE_FAILED);
  if (restart) arm(unit, span(unit, "RestartSec", 100000));
  job_finish(unit, job == JOB_START && !service->started ? service->skipped ? RESULT_SKIPPED : RESULT_FAILED : RESULT_DONE);
}

/* The commands of a state have all run. */
static void commands_done(Unit *unit) {
  switch (unit->service->state) {
    case SERVICE_CONDITION: enter(unit, SERVICE_START_PRE); break;
    case SERVICE_START_PRE: enter(unit, SERVICE_START); break;
    case SERVICE_START: enter(unit, SERVICE_START_POST); break;
    case SERVICE_START_POST: start_finished(unit); break;
    case SERVICE_RELOAD:
      arm(unit, -1);
      set_state(unit, unit->service->main_pid ? SERVICE_RUNNING : SERVICE_EXITED);
      if (!unit->service->reload_failed) journal_format(unit->name, PRIORITY_INFO, "Reloaded %s.", unit_description(unit));
      job_finish(unit, unit->service->reload_failed ? RESULT_FAILED : RESULT_DONE);
      break;
    case SERVICE_STOP: enter_signal(unit, SERVICE_STOP_SIGTERM); break;
    case SERVICE_STOP_POST: finish_stop(unit); break;
    default: break;
  }
}

/* The main process was started: when is the service up? */
static void main_started(Unit *unit) {
  if (is_type(unit, "oneshot") || is_type(unit, "forking") || notifies(unit) || is_type(unit, "exec")) return;
  enter(unit, SERVICE_START_POST);
}

static void run_next(Unit *unit) {
  Service *service = unit->service;
  Strings commands = unit_file_all(&unit->file, "Service", states[service->state].commands);
  const char *line = service->command < commands.count ? commands.items[service->command] : NULL;
  free(commands.items);
  if (!line) {
    commands_done(unit);
    return;
  }
  service->command++;
  pid_t pid = run_command(unit, line);
  bool main = service->state == SERVICE_START && !is_type(unit, "forking");
  if (pid < 0) {
    fail(unit, "resources");
    enter_signal(unit, SERVICE_STOP_SIGTERM);
  } else if (main) {
    service->main_pid = service->last_main_pid = pid;
    service->main_ended = false;
    main_started(unit);
  } else {
    service->control_pid = pid;
  }
}

/* More than StartLimitBurst= starts within StartLimitIntervalSec=? Counts this one. */
static bool over_limit(Unit *unit) {
  Service *service = unit->service;
  int64_t interval = unit_file_span(&unit->file, "Unit", "StartLimitIntervalSec", unit_file_span(&unit->file, "Unit", "StartLimitInterval", span(unit, "StartLimitInterval", span(unit, "StartLimitIntervalSec", 10 * SECOND_US))));
  const char *burst_text = unit_file_get(&unit->file, "Unit", "StartLimitBurst");
  if (!burst_text) burst_text = get(unit, "StartLimitBurst");
  size_t burst = burst_text ? strtoul(burst_text, NULL, 10) : 5, recent = 0;
  if (interval <= 0 || !burst) return false;
  int64_t now = monotonic_us();
  size_t kept = service->start_count < START_HISTORY ? service->start_count : START_HISTORY;
  for (size_t i = 0; i < kept; i++) recent += service->starts[i] > now - interval;
  if (recent >= burst) return true;
  service->starts[service->start_count++ % START_HISTORY] = now;
  return false;
}

void service_start(Unit *unit) {
  Service *service = unit->service;
  if (!service) service = unit->service = allocate(sizeof *service);
  deadline_cancel(&service->deadline);
  service->result = "success";
  if (over_limit(unit)) {
    journal_format(unit->name, PRIORITY_WARNING, "%s: Start request repeated too quickly.", unit->name);
    service->result = "start-limit-hit";
    journal_format(unit->name, PRIORITY_WARNING, "%s: Failed with result 'start-limit-hit'.", unit->name);
    manager_status("FAILED", "Failed to start %s.", unit_description(unit));
    journal_format(unit->name, PRIORITY_ERROR, "Failed to start %s.", unit_description(unit));
    set_state(unit, SERVICE_FAILED);
    job_finish(unit, RESULT_FAILED);
    return;
  }
  service->main_pid = service->control_pid = 0;
  service->stop_requested = service->skipped = service->started = service->main_ended = false;
  free(service->status_text);
  free(service->failed_command);
  service->status_text = service->failed_command = NULL;
  make_group(unit);
  if (!is_type(unit, "simple") || get(unit, "ExecStartPre")) journal_format(unit->name, PRIORITY_INFO, "Starting %s...", unit_description(unit));
  enter(unit, SERVICE_CONDITION);
}

/* ---- stopping ---- */

static void enter_stop(Unit *unit) {
  enter(unit, SERVICE_STOP);
}

static bool is_kill_mode(const Unit *unit, const char *mode) {
  const char *value = get(unit, "KillMode");
  return !strcmp(value ? value : "control-group", mode);
}

static bool nothing_left(const Unit *unit) {
  const Service *service = unit->service;
  if (service->main_pid || service->control_pid) return false;
  return is_kill_mode(unit, "process") || is_kill_mode(unit, "none") || group_is_empty(unit);
}

static void send_signal(Unit *unit, int signal) {
  const Service *service = unit->service;
  bool everything = is_kill_mode(unit, "control-group") || (is_kill_mode(unit, "mixed") && (signal == SIGKILL || !service->main_pid));
  if (is_kill_mode(unit, "none")) return;
  if (everything) {
    signal_group(unit, signal);
    return;
  }
  if (service->main_pid) kill(service->main_pid, signal);
  if (service->control_pid) kill(service->control_pid, signal);
}

static void enter_signal(Unit *unit, ServiceState state) {
  const char *signal = get(unit, "KillSignal");
  set_state(unit, state);
  if (nothing_left(unit)) {
    enter(unit, SERVICE_STOP_POST);
    return;
  }
  send_signal(unit, state == SERVICE_STOP_SIGKILL ? SIGKILL : signal ? signal_number(signal) : SIGTERM);
  arm(unit, stop_timeout(unit));
}

void services_check_groups(void) {
  for (Unit *unit = units; unit; unit = unit->next) {
    Service *service = unit->service;
    if (!service || (service->state != SERVICE_STOP_SIGTERM && service->state != SERVICE_STOP_SIGKILL)) continue;
    if (nothing_left(unit)) {
      enter(unit, SERVICE_STOP_POST);
    } else if (!service->main_pid && is_kill_mode(unit, "mixed") && service->state == SERVICE_STOP_SIGTERM) {
      signal_group(unit, SIGKILL);
    }
  }
}

void service_stop(Unit *unit) {
  Service *service = unit->service;
  service->stop_requested = true;
  switch (service->state) {
    case SERVICE_AUTO_RESTART:
    case SERVICE_FAILED:
    case SERVICE_DEAD:
      deadline_cancel(&service->deadline);
      set_state(unit, SERVICE_DEAD);
      job_finish(unit, RESULT_DONE);
      break;
    case SERVICE_RUNNING:
    case SERVICE_EXITED:
    case SERVICE_RELOAD:
      journal_format(unit->name, PRIORITY_INFO, "Stopping %s...", unit_description(unit));
      enter_stop(unit);
      break;
    case SERVICE_CONDITION:
    case SERVICE_START_PRE:
    case SERVICE_START:
    case SERVICE_START_POST: enter_signal(unit, SERVICE_STOP_SIGTERM); break;
    default: break;
  }
}

void service_reload(Unit *unit) {
  Service *service = unit->service;
  if (!service || (service->state != SERVICE_RUNNING && service->state != SERVICE_EXITED) || !get(unit, "ExecReload")) {
    job_finish(unit, RESULT_FAILED);
    return;
  }
  service->reload_failed = false;
  journal_format(unit->name, PRIORITY_INFO, "Reloading %s...", unit_description(unit));
  enter(unit, SERVICE_RELOAD);
}

/* ---- what the processes tell ---- */

static void log_end(Unit *unit, const char *what, int status) {
  if (WIFEXITED(status) && !WEXITSTATUS(status)) return;
  if (WIFEXITED(status)) {
    const char *name = exit_code_name(WEXITSTATUS(status));
    journal_format(unit->name, PRIORITY_NOTICE, "%s: %s process exited, code=exited, status=%d%s%s", unit->name, what, WEXITSTATUS(status), name ? "/" : "/n/a", name ? name : "");
  } else {
    journal_format(unit->name, PRIORITY_NOTICE, "%s: %s process exited, code=%s, status=%d/%s", unit->name, what, WCOREDUMP(status) ? "dumped" : "killed", WTERMSIG(status), signal_name(WTERMSIG(status)));
  }
}

/* A forking service's main process: PIDFile=, or the only process left. */
static pid_t guess_main_pid(const Unit *unit) {
  const char *file = get(unit, "PIDFile");
  char *path = file ? *file == '/' ? copy_text(file) : format_text("/run/%s", file) : NULL;
  char *text = path ? read_file(path, NULL) : NULL;
  pid_t pid = text ? atoi(text) : 0;
  free(text);
  free(path);
  if (pid > 1) return pid;
  if (!unit_file_bool(&unit->file, "Service", "GuessMainPID", true)) return 0;
  Strings pids = {0};
  unit_processes(unit, &pids);
  pid = pids.count ? atoi(pids.items[0]) : 0;
  strings_free(&pids);
  return pid;
}

static void note_failure(Unit *unit, pid_t pid, int status) {
  Service *service = unit->service;
  const char *key = states[service->state].commands;
  if (!key) return;
  Strings commands = unit_file_all(&unit->file, "Service", key);
  size_t index = service->command - 1;
  free(service->failed_command);
  service->failed_command = format_text("%s=%s", key, index < commands.count ? commands.items[index] : "");
  service->failed_pid = pid;
  service->failed_status = status;
  free(commands.items);
}

static void control_ended(Unit *unit, int status) {
  Service *service = unit->service;
  bool success = is_success(unit, status, false) || service->ignore_failure;
  if (!success) {
    log_end(unit, "Control", status);
    note_failure(unit, service->control_pid, status);
  }
  service->control_pid = 0;
  if (service->state == SERVICE_STOP_SIGTERM || service->state == SERVICE_STOP_SIGKILL) return;
  if (!success && service->state == SERVICE_CONDITION && WIFEXITED(status) && WEXITSTATUS(status) < 255) {
    service->skipped = true;
    journal_format(unit->name, PRIORITY_INFO, "%s: Skipped due to 'exec-condition'.", unit->name);
    enter(unit, SERVICE_STOP_POST);
    return;
  }
  if (!success && service->state == SERVICE_RELOAD) {
    service->reload_failed = true;
    journal_format(unit->name, PRIORITY_ERROR, "Reload failed for %s.", unit_description(unit));
    commands_done(unit);
    return;
  }
  if (!success) {
    fail(unit, failure_result(status));
    if (service->state != SERVICE_STOP_POST) {
      enter_signal(unit, SERVICE_STOP_SIGTERM);
      return;
    }
  }
  if (service->state == SERVICE_START) {
    service->main_pid = service->last_main_pid = guess_main_pid(unit);
    enter(unit, SERVICE_START_POST);
    return;
  }
  run_next(unit);
}

static void main_ended(Unit *unit, int status) {
  Service *service = unit->service;
  bool ignore = service->state == SERVICE_START && service->ignore_failure;
  bool success = is_success(unit, status, true) || ignore;
  service->main_pid = 0;
  service->main_ended = true;
  service->main_status = status;
  log_end(unit, "Main", status);
  if (!success) fail(unit, failure_result(status));
  switch (service->state) {
    case SERVICE_START:
      if (is_type(unit, "oneshot") && success) {
        run_next(unit);
      } else {
        if (success) fail(unit, "protocol");
        enter_signal(unit, SERVICE_STOP_SIGTERM);
      }
      break;
    case SERVICE_RUNNING:
      if (remains(unit) && success) {
        set_state(unit, SERVICE_EXITED);
      } else {
        enter_stop(unit);
      }
      break;
    default: break;
  }
}

bool service_child(pid_t pid, int status) {
  for (Unit *unit = units; unit; unit = unit->next) {
    if (!unit->service) continue;
    if (unit->service->main_pid == pid) {
      main_ended(unit, status);
      return true;
    }
    if (unit->service->control_pid == pid) {
      control_ended(unit, status);
      return true;
    }
  }
  return false;
}

static Unit *unit_of_process(pid_t pid) {
  char *path = format_text("/proc/%d/cgroup", (int)pid), *text = read_file(path, NULL);
  const char *name = text ? strstr(text, "/system.slice/") : NULL;
  Unit *unit = NULL;
  if (name) {
    char *copy = copy_text(name + strlen("/system.slice/"));
    copy[strcspn(copy, "/\n")] = 0;
    unit = unit_known(copy);
    free(copy);
  }
  free(text);
  free(path);
  return unit;
}

void service_notify(pid_t sender, char *text) {
  Unit *unit = unit_of_process(sender);
  Service *service = unit ? unit->service : NULL;
  const char *access = unit ? get(unit, "NotifyAccess") : NULL;
  if (access && !strcmp(access, "none")) return;
  if (access && (!strcmp(access, "main") || !strcmp(access, "exec")) && service && sender != service->main_pid && sender != service->control_pid) return;
  for (char *rest = text, *line; service && rest;) {
    line = strsep(&rest, "\n");
    if (starts_with(line, "STATUS=")) {
      free(service->status_text);
      service->status_text = copy_text(line + 7);
    }
    if (starts_with(line, "MAINPID=")) service->main_pid = service->last_main_pid = atoi(line + 8);
    if (!strcmp(line, "READY=1") && service->state == SERVICE_START && notifies(unit)) enter(unit, SERVICE_START_POST);
  }
}
