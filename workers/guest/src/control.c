/* The supervisor's end of systemctl; see control.h. The verbs are one table at the end of this file. */
#include "control.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "frame.h"
#include "jobs.h"
#include "journal.h"
#include "manager.h"
#include "service.h"
#include "spawn.h"
#include "timer.h"
#include "version.h"

/* Exit codes of systemctl. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_NOT_RUNNING = 3, EXIT_NO_UNIT = 4, EXIT_NOT_LOADED = 5 };

typedef struct {
  bool all, failed, no_block, quiet, value, plain, no_legend, full, color;
  char *type, *state, *signal, *lines;
  Strings properties;
} Options;

typedef struct {
  int fd;
  Watch *watch;
  Bytes in, out, error;
  Options options;
  /* The words that are no options: the verb and its arguments. */
  Strings words;
  Waiter waiter;
  int status;
  bool answering, root;
} Call;

/* ---- answering ---- */

static void end_call(Call *call) {
  job_forget_waiter(&call->waiter);
  watch_remove(call->watch);
  close(call->fd);
  bytes_free(&call->in);
  bytes_free(&call->out);
  bytes_free(&call->error);
  strings_free(&call->words);
  strings_free(&call->options.properties);
  free(call->options.type);
  free(call->options.state);
  free(call->options.signal);
  free(call->options.lines);
  free(call);
}

static void send_text(Call *call, uint8_t type, const Bytes *text) {
  enum { PIECE = 32768 };
  for (size_t at = 0; at < text->length; at += PIECE) {
    size_t length = text->length - at < PIECE ? text->length - at : PIECE;
    frame_send(call->fd, type, 0, text->data + at, length);
  }
}

static void answer(Call *call) {
  Strings status = {0};
  strings_format(&status, "%d", call->status);
  /* The client only reads: a short wait for it is fine, a client that hangs is not waited for. */
  struct timeval patience = {.tv_sec = 2};
  setsockopt(call->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  send_text(call, CONTROL_OUTPUT, &call->out);
  send_text(call, CONTROL_ERROR, &call->error);
  frame_send_list(call->fd, CONTROL_EXIT, 0, &status);
  strings_free(&status);
  end_call(call);
}

/* ---- jobs ---- */

static const char *job_word(JobKind kind) {
  static const char *const words[] = {"", "start", "stop", "restart", "reload"};
  return words[kind];
}

static const char *failure_reason(const Unit *unit) {
  if (!strcmp(unit->result, "timeout")) return " because a timeout was exceeded";
  if (!strcmp(unit->result, "signal") || !strcmp(unit->result, "core-dump")) return " because a fatal signal was delivered to the control process";
  if (!strcmp(unit->result, "exit-code")) return " because the control process exited with error code";
  if (!strcmp(unit->result, "start-limit-hit")) return " because start of the service was attempted too often";
  if (!strcmp(unit->result, "protocol")) return " because the service did not take the steps required by its unit configuration";
  return "";
}

static void job_done(void *owner, Unit *unit, JobKind kind, JobResult result) {
  Call *call = owner;
  switch (result) {
    case RESULT_DONE:
    case RESULT_SKIPPED: break;
    case RESULT_DEPENDENCY:
      call->status = EXIT_FAILED;
      bytes_format(&call->error, "A dependency job for %s failed. See 'journalctl -xe' for details.\n", unit->name);
      break;
    case RESULT_CANCELED:
      call->status = EXIT_FAILED;
      bytes_format(&call->error, "Job for %s canceled.\n", unit->name);
      break;
    default:
      call->status = EXIT_FAILED;
      if (kind == JOB_RELOAD && !unit_file_get(&unit->file, "Service", "ExecReload")) {
        bytes_format(&call->error, "Failed to reload %s: Job type reload is not applicable for unit %s.\n", unit->name, unit->name);
      } else {
        bytes_format(&call->error, "Job for %s failed%s.\nSee \"systemctl status %s\" and \"journalctl -xeu %s\" for details.\n", unit->name, failure_reason(unit), unit->name, unit->name);
      }
  }
  if (!call->waiter.pending && !call->answering) answer(call);
}

static void request(Call *call, Unit *unit, JobKind kind) {
  char *problem = NULL;
  if (!job_request(unit, kind, call->options.no_block ? NULL : &call->waiter, &problem)) {
    bytes_format(&call->error, "Failed to %s %s: %s\n", job_word(kind), unit->name, problem ? problem : "refused");
    call->status = unit->load == LOAD_NOT_FOUND ? EXIT_NOT_LOADED : EXIT_FAILED;
  }
  free(problem);
}

static bool is_loaded_or_up(Call *call, const Unit *unit, const char *verb) {
  if (unit->load != LOAD_NOT_FOUND || unit->active != STATE_INACTIVE) return true;
  bytes_format(&call->error, "Failed to %s %s: Unit %s not loaded.\n", verb, unit->name, unit->name);
  call->status = EXIT_NOT_LOADED;
  return false;
}

/* The unit files are links into the store: reading again is cheap, and a unit never asked for yet is read when it is. */
static void verb_job(Call *call, const char *verb) {
  for (size_t i = 1; i < call->words.count; i++) {
    char *name = unit_full_name(call->words.items[i]);
    Unit *unit = unit_get(name);
    free(name);
    bool up = unit->active != STATE_INACTIVE && unit->active != STATE_FAILED;
    bool reloads = unit->kind == UNIT_SERVICE && unit_file_get(&unit->file, "Service", "ExecReload") && unit_is_up(unit);
    if (unit->load == LOAD_NOT_FOUND && unit->active == STATE_INACTIVE && unit->kind != UNIT_OTHER && !starts_with(verb, "start") && !starts_with(verb, "restart")) {
      is_loaded_or_up(call, unit, verb);
    } else if (!strcmp(verb, "start")) {
      request(call, unit, JOB_START);
    } else if (!strcmp(verb, "stop")) {
      request(call, unit, JOB_STOP);
    } else if (!strcmp(verb, "restart")) {
      request(call, unit, JOB_RESTART);
    } else if (!strcmp(verb, "reload")) {
      request(call, unit, JOB_RELOAD);
    } else if (starts_with(verb, "try-") && !up) {
      continue;
    } else if (ends_with(verb, "reload-or-restart")) {
      request(call, unit, reloads ? JOB_RELOAD : JOB_RESTART);
    } else {
      request(call, unit, JOB_RESTART);
    }
  }
}

/* ---- describing one unit ---- */

static const char *paint(const Call *call, const char *color) {
  return call->options.color ? color : "";
}

static const char *state_color(const Call *call, const Unit *unit) {
  if (unit->active == STATE_FAILED) return paint(call, "\033[0;1;31m");
  return unit_is_up(unit) ? paint(call, "\033[0;1;32m") : paint(call, "");
}

static const char *state_dot(const Unit *unit) {
  if (unit->active == STATE_FAILED) return "×";
  if (unit->active == STATE_INACTIVE) return "○";
  return unit->active == STATE_RELOADING ? "↻" : "●";
}

static void add_time(Bytes *out, int64_t real) {
  time_t seconds = (time_t)(real / SECOND_US);
  struct tm moment;
  char text[40];
  localtime_r(&seconds, &moment);
  strftime(text, sizeof text, "%a %Y-%m-%d %H:%M:%S %Z", &moment);
  bytes_text(out, text);
}

static const char *enabled_word(const Unit *unit) {
  for (const Unit *other = units; other; other = other->next)
    if (unit_depends(other, DEP_WANTS, unit) || unit_depends(other, DEP_REQUIRES, unit))
      if (other->kind == UNIT_TARGET) return "enabled";
  return unit->file.files.count ? "linked" : "static";
}

static void add_ended(Bytes *out, int status) {
  const char *name = WIFEXITED(status) ? exit_code_name(WEXITSTATUS(status)) : NULL;
  if (WIFEXITED(status)) {
    bytes_format(out, "code=exited, status=%d%s%s", WEXITSTATUS(status), name ? "/" : "", name ? name : "");
  } else {
    bytes_format(out, "code=killed, signal=%s", signal_name(WTERMSIG(status)));
  }
}

static char *process_command(const char *pid) {
  char *path = format_text("/proc/%s/cmdline", pid);
  size_t length = 0;
  char *text = read_file(path, &length);
  free(path);
  for (size_t i = 0; text && i + 1 < length; i++)
    if (!text[i]) text[i] = ' ';
  return text ? text : copy_text("");
}

static char *process_name(pid_t pid) {
  char *path = format_text("/proc/%d/comm", (int)pid), *text = read_file(path, NULL);
  free(path);
  if (text) text[strcspn(text, "\n")] = 0;
  return text ? text : copy_text("n/a");
}

static void add_memory(Bytes *out, const Unit *unit) {
  char *group = unit_group(unit), *path = format_text("%s/memory.current", group), *text = read_file(path, NULL);
  double bytes = text ? strtod(text, NULL) : 0;
  if (bytes >= 1048576) {
    bytes_format(out, "     Memory: %.1fM\n", bytes / 1048576);
  } else if (bytes > 0) {
    bytes_format(out, "     Memory: %.1fK\n", bytes / 1024);
  }
  free(text);
  free(path);
  free(group);
}

static void add_processes(Bytes *out, const Unit *unit) {
  Strings pids = {0};
  unit_processes(unit, &pids);
  if (pids.count) {
    bytes_format(out, "      Tasks: %zu\n", pids.count);
    add_memory(out, unit);
    bytes_format(out, "     CGroup: /system.slice/%s\n", unit->name);
  }
  for (size_t i = 0; i < pids.count; i++) {
    char *command = process_command(pids.items[i]);
    bytes_format(out, "             %s%s %s\n", i + 1 < pids.count ? "├─" : "└─", pids.items[i], command);
    free(command);
  }
  strings_free(&pids);
}

static void add_process_lines(Bytes *out, const Unit *unit) {
  pid_t main = service_main_pid(unit), ended;
  int status;
  const char *failed = service_failed_command(unit, &ended, &status);
  if (failed) {
    bytes_format(out, "    Process: %d %s (", (int)ended, failed);
    add_ended(out, status);
    bytes_text(out, ")\n");
  }
  if (main) {
    char *name = process_name(main);
    bytes_format(out, "   Main PID: %d (%s)\n", (int)main, name);
    free(name);
  } else if (service_main_status(unit, &ended, &status)) {
    const char *line = unit_file_get(&unit->file, "Service", "ExecStart");
    bytes_format(out, "    Process: %d ExecStart=%s (", (int)ended, line ? line : "");
    add_ended(out, status);
    bytes_format(out, ")\n   Main PID: %d (", (int)ended);
    add_ended(out, status);
    bytes_text(out, ")\n");
  }
  if (service_status_text(unit)) bytes_format(out, "     Status: \"%s\"\n", service_status_text(unit));
  if (unit->kind == UNIT_SERVICE) add_processes(out, unit);
}

static void add_loaded(Bytes *out, const Unit *unit) {
  bytes_format(out, "     Loaded: %s", load_names[unit->load]);
  if (unit->load == LOAD_BAD) {
    bytes_format(out, " (Reason: Unit %s has a bad unit file setting: %s)", unit->name, unit->problem ? unit->problem : "");
  } else if (unit->file.files.count) {
    bytes_format(out, " (%s; %s; preset: ignored)", unit->file.files.items[0], enabled_word(unit));
  } else if (unit->load == LOAD_LOADED) {
    bytes_text(out, " (built in; static)");
  }
  bytes_text(out, "\n");
  for (size_t i = 1; i < unit->file.files.count; i++) bytes_format(out, "%s%s\n", i == 1 ? "    Drop-In: " : "             ", unit->file.files.items[i]);
}

static void add_active(Call *call, const Unit *unit) {
  Bytes *out = &call->out;
  bool failed = unit->active == STATE_FAILED;
  bytes_format(out, "     Active: %s%s%s%s%s%s", state_color(call, unit), active_names[unit->active], failed ? "" : " (", failed ? "" : unit->sub, failed ? "" : ")", paint(call, "\033[0m"));
  if (failed || (strcmp(unit->result, "success") && unit->active != STATE_ACTIVE)) bytes_format(out, " (Result: %s)", unit->result);
  if (unit->changed_at) {
    char *ago = format_span(realtime_us() - unit->changed_at);
    bytes_text(out, " since ");
    add_time(out, unit->changed_at);
    bytes_format(out, "; %s ago", ago);
    free(ago);
  }
  bytes_text(out, "\n");
}

static void add_trigger(Bytes *out, const Unit *unit) {
  int64_t next, last;
  timer_times(unit, &next, &last);
  if (unit->kind == UNIT_TIMER) {
    bytes_text(out, "    Trigger: ");
    if (next) {
      char *left = format_span(next > realtime_us() ? next - realtime_us() : 0);
      add_time(out, next);
      bytes_format(out, "; %s left", left);
      free(left);
    } else {
      bytes_text(out, "n/a");
    }
    bytes_text(out, "\n");
  }
  for (size_t i = 0; i < unit->dependencies[DEP_TRIGGERS].count; i++) bytes_format(out, "   Triggers: %s\n", unit->dependencies[DEP_TRIGGERS].items[i]);
}

static void describe(Call *call, const Unit *unit) {
  Bytes *out = &call->out;
  bytes_format(out, "%s%s%s %s - %s\n", state_color(call, unit), state_dot(unit), paint(call, "\033[0m"), unit->name, unit_description(unit));
  add_loaded(out, unit);
  add_active(call, unit);
  add_trigger(out, unit);
  add_process_lines(out, unit);
  size_t lines = call->options.lines ? strtoul(call->options.lines, NULL, 10) : 10;
  Bytes tail = {0};
  journal_tail(&tail, unit->name, lines);
  if (tail.length) bytes_format(out, "\n%s", tail.data);
  bytes_free(&tail);
}

static void describe_system(Call *call) {
  struct utsname names;
  uname(&names);
  size_t jobs = 0, loaded = 0;
  for (const Unit *unit = units; unit; unit = unit->next) {
    jobs += unit->job != JOB_NONE;
    loaded += unit->load == LOAD_LOADED;
  }
  bytes_format(&call->out, "● %s\n    State: %s\n    Units: %zu loaded\n     Jobs: %zu queued\n   Failed: %zu units\n", names.nodename, manager_system_state(), loaded, jobs, manager_failed_units());
}

static void verb_status(Call *call, const char *verb) {
  (void)verb;
  if (call->words.count < 2) describe_system(call);
  for (size_t i = 1; i < call->words.count; i++) {
    char *name = unit_full_name(call->words.items[i]);
    const Unit *unit = unit_get(name);
    free(name);
    if (i > 1) bytes_text(&call->out, "\n");
    if (unit->load == LOAD_NOT_FOUND && unit->active == STATE_INACTIVE) {
      bytes_format(&call->error, "Unit %s could not be found.\n", unit->name);
      call->status = EXIT_NO_UNIT;
      continue;
    }
    describe(call, unit);
    if (!unit_is_up(unit) && unit->active != STATE_ACTIVATING) call->status = EXIT_NOT_RUNNING;
  }
}

static void verb_is(Call *call, const char *verb) {
  bool any = false;
  for (size_t i = 1; i < call->words.count; i++) {
    char *name = unit_full_name(call->words.items[i]);
    const Unit *unit = unit_get(name);
    free(name);
    const char *word = active_names[unit->active];
    if (!strcmp(verb, "is-active")) any |= unit_is_up(unit);
    if (!strcmp(verb, "is-failed")) any |= unit->active == STATE_FAILED;
    if (!strcmp(verb, "is-enabled")) {
      word = unit->load == LOAD_NOT_FOUND ? "not-found" : enabled_word(unit);
      any |= !strcmp(word, "enabled") || !strcmp(word, "static");
    }
    if (!call->options.quiet) bytes_format(&call->out, "%s\n", word);
  }
  call->status = any ? EXIT_OK : !strcmp(verb, "is-active") ? EXIT_NOT_RUNNING : EXIT_FAILED;
}

static void verb_is_system_running(Call *call, const char *verb) {
  (void)verb;
  const char *state = manager_system_state();
  if (!call->options.quiet) bytes_format(&call->out, "%s\n", state);
  call->status = strcmp(state, "running") ? EXIT_FAILED : EXIT_OK;
}

static void verb_cat(Call *call, const char *verb) {
  (void)verb;
  for (size_t i = 1; i < call->words.count; i++) {
    char *name = unit_full_name(call->words.items[i]);
    const Unit *unit = unit_get(name);
    free(name);
    if (!unit->file.files.count) {
      bytes_format(&call->error, "No files found for %s.\n", unit->name);
      call->status = EXIT_FAILED;
    }
    for (size_t j = 0; j < unit->file.files.count; j++) {
      char *text = read_file(unit->file.files.items[j], NULL);
      bytes_format(&call->out, "%s%s# %s%s\n%s", i > 1 || j ? "\n" : "", paint(call, "\033[34m"), unit->file.files.items[j], paint(call, "\033[0m"), text ? text : "");
      free(text);
    }
  }
}

/* ---- properties ---- */

static void property(Call *call, const char *name, const char *value) {
  const Strings *wanted = &call->options.properties;
  if (wanted->count && !strings_have(wanted, name)) return;
  if (call->options.value) {
    bytes_format(&call->out, "%s\n", value);
  } else {
    bytes_format(&call->out, "%s=%s\n", name, value);
  }
}

static void show_unit(Call *call, const Unit *unit) {
  property(call, "Id", unit->name);
  property(call, "Names", unit->name);
  property(call, "Description", unit_description(unit));
  property(call, "LoadState", load_names[unit->load]);
  property(call, "ActiveState", active_names[unit->active]);
  property(call, "SubState", unit->sub);
  property(call, "Result", unit->result);
  property(call, "UnitFileState", enabled_word(unit));
  property(call, "FragmentPath", unit->file.files.count ? unit->file.files.items[0] : "");
  property(call, "ConditionResult", unit->condition_failed ? "no" : "yes");
  char *text = format_text("%d", (int)service_main_pid(unit));
  property(call, "MainPID", text);
  free(text);
  pid_t pid;
  int status;
  bool ended = service_main_status(unit, &pid, &status);
  text = format_text("%d", ended ? WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) : 0);
  property(call, "ExecMainStatus", text);
  free(text);
  for (int kind = 0; kind < DEP_COUNT; kind++) {
    text = strings_join(&unit->dependencies[kind], " ");
    if (*text) property(call, dependency_names[kind], text);
    free(text);
  }
  static const char *const settings[] = {"Type", "Restart", "User", "Group", "WorkingDirectory", "ExecStart", "Environment", "RemainAfterExit", "KillMode"};
  for (size_t i = 0; i < COUNT_OF(settings); i++) {
    const char *value = unit_file_get(&unit->file, "Service", settings[i]);
    if (value) property(call, settings[i], value);
  }
}

static void verb_show(Call *call, const char *verb) {
  (void)verb;
  if (call->words.count < 2) {
    property(call, "Version", SUPERVISOR_VERSION);
    property(call, "SystemState", manager_system_state());
  }
  for (size_t i = 1; i < call->words.count; i++) {
    char *name = unit_full_name(call->words.items[i]);
    if (i > 1) bytes_text(&call->out, "\n");
    show_unit(call, unit_get(name));
    free(name);
  }
}

/* ---- lists ---- */

static int compare_units(const void *left, const void *right) {
  const Unit *a = *(Unit *const *)left, *b = *(Unit *const *)right;
  const char *left_kind = strrchr(a->name, '.'), *right_kind = strrchr(b->name, '.');
  int kinds = strcmp(left_kind ? left_kind : "", right_kind ? right_kind : "");
  return kinds ? kinds : strcmp(a->name, b->name);
}

/* All units in memory, sorted by kind and name. The caller frees the array. */
static Unit **sorted_units(size_t *count) {
  *count = 0;
  for (Unit *unit = units; unit; unit = unit->next) ++*count;
  Unit **list = allocate((*count + 1) * sizeof *list), **place = list;
  for (Unit *unit = units; unit; unit = unit->next) *place++ = unit;
  qsort(list, *count, sizeof *list, compare_units);
  return list;
}

static bool matches_patterns(const Call *call, const char *name) {
  bool any = call->words.count < 2;
  for (size_t i = 1; i < call->words.count && !any; i++) {
    char *pattern = strpbrk(call->words.items[i], "*?[") ? copy_text(call->words.items[i]) : unit_full_name(call->words.items[i]);
    any = !fnmatch(pattern, name, 0);
    free(pattern);
  }
  return any;
}

static bool is_listed(const Call *call, const Unit *unit) {
  const Options *options = &call->options;
  if (options->failed || (options->state && !strcmp(options->state, "failed"))) {
    if (unit->active != STATE_FAILED) return false;
  } else if (options->state) {
    if (strcmp(options->state, active_names[unit->active]) && strcmp(options->state, unit->sub)) return false;
  } else if (!options->all && (unit->active == STATE_INACTIVE || unit->load == LOAD_NOT_FOUND) && unit->job == JOB_NONE) {
    return false;
  }
  if (options->type && strcmp(strrchr(unit->name, '.') + 1, options->type)) return false;
  return matches_patterns(call, unit->name);
}

static int longest(size_t length, int least) {
  return (int)length > least ? (int)length : least;
}

static void verb_list_units(Call *call, const char *verb) {
  (void)verb;
  size_t count, listed = 0;
  Unit **list = sorted_units(&count);
  int name = 4, load = 4, active = 6, sub = 3;
  for (size_t i = 0; i < count; i++) {
    if (!is_listed(call, list[i])) continue;
    name = longest(strlen(list[i]->name), name);
    load = longest(strlen(load_names[list[i]->load]), load);
    active = longest(strlen(active_names[list[i]->active]), active);
    sub = longest(strlen(list[i]->sub), sub);
  }
  if (!call->options.no_legend) bytes_format(&call->out, "  %-*s %-*s %-*s %-*s DESCRIPTION\n", name, "UNIT", load, "LOAD", active, "ACTIVE", sub, "SUB");
  for (size_t i = 0; i < count; i++) {
    const Unit *unit = list[i];
    if (!is_listed(call, unit)) continue;
    listed++;
    const char *dot = unit->active == STATE_FAILED || unit->load != LOAD_LOADED ? "●" : " ";
    bytes_format(&call->out, "%s%s%s %-*s %-*s %s%-*s%s %-*s %s\n", unit->active == STATE_FAILED ? state_color(call, unit) : "", call->options.plain ? "" : dot, paint(call, "\033[0m"), name, unit->name, load,
                 load_names[unit->load], unit->active == STATE_FAILED ? state_color(call, unit) : "", active, active_names[unit->active], paint(call, "\033[0m"), sub, unit->sub, unit_description(unit));
  }
  if (!call->options.no_legend) bytes_format(&call->out, "\n%zu loaded units listed.%s\n", listed, call->options.all ? "" : " Pass --all to see loaded but inactive units, too.");
  free(list);
}

/* For systemd-switch: `NAME ACTIVE SUB` of every unit that is not down. */
static void verb_states(Call *call, const char *verb) {
  (void)verb;
  for (const Unit *unit = units; unit; unit = unit->next)
    if (unit->active != STATE_INACTIVE) bytes_format(&call->out, "%s %s %s\n", unit->name, active_names[unit->active], unit->sub);
}

static void verb_list_timers(Call *call, const char *verb) {
  (void)verb;
  size_t count, listed = 0;
  Unit **list = sorted_units(&count);
  if (!call->options.no_legend) bytes_format(&call->out, "%-27s %-12s %-27s %-12s %-24s %s\n", "NEXT", "LEFT", "LAST", "PASSED", "UNIT", "ACTIVATES");
  for (size_t i = 0; i < count; i++) {
    const Unit *unit = list[i];
    if (unit->kind != UNIT_TIMER || (unit->active != STATE_ACTIVE && !call->options.all)) continue;
    int64_t next, last, now = realtime_us();
    Bytes next_text = {0}, last_text = {0};
    timer_times(unit, &next, &last);
    bytes_text(&next_text, next ? "" : "-");
    bytes_text(&last_text, last ? "" : "-");
    if (next) add_time(&next_text, next);
    if (last) add_time(&last_text, last);
    char *left = next ? format_span(next > now ? next - now : 0) : copy_text("-"), *passed = last ? format_span(now - last) : copy_text("-");
    bytes_format(&call->out, "%-27s %-12s %-27s %-12s %-24s %s\n", next_text.data, left, last_text.data, passed, unit->name, unit->dependencies[DEP_TRIGGERS].count ? unit->dependencies[DEP_TRIGGERS].items[0] : "-");
    listed++;
    free(left);
    free(passed);
    bytes_free(&next_text);
    bytes_free(&last_text);
  }
  if (!call->options.no_legend) bytes_format(&call->out, "\n%zu timers listed.\n", listed);
  free(list);
}

static void verb_list_jobs(Call *call, const char *verb) {
  (void)verb;
  size_t listed = 0;
  for (const Unit *unit = units; unit; unit = unit->next) {
    if (unit->job == JOB_NONE) continue;
    bytes_format(&call->out, "%-40s %-8s %s\n", unit->name, job_word(unit->job), unit->job_running ? "running" : "waiting");
    listed++;
  }
  if (!listed) bytes_text(&call->out, "No jobs running.\n");
}

static void verb_list_unit_files(Call *call, const char *verb) {
  (void)verb;
  Strings names = {0};
  for (size_t i = 0; unit_directories[i]; i++) {
    DIR *entries = opendir(unit_directories[i]);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
      if (unit_name_valid(entry->d_name) && matches_patterns(call, entry->d_name)) strings_unique(&names, entry->d_name);
    if (entries) closedir(entries);
  }
  strings_sort(&names);
  if (!call->options.no_legend) bytes_format(&call->out, "%-40s %-10s PRESET\n", "UNIT FILE", "STATE");
  for (size_t i = 0; i < names.count; i++) {
    const Unit *unit = strchr(names.items[i], '@') && strstr(names.items[i], "@.") ? NULL : unit_get(names.items[i]);
    bytes_format(&call->out, "%-40s %-10s ignored\n", names.items[i], !unit ? "static" : strcmp(unit->name, names.items[i]) ? "alias" : enabled_word(unit));
  }
  if (!call->options.no_legend) bytes_format(&call->out, "\n%zu unit files listed.\n", names.count);
  strings_free(&names);
}

static void list_dependencies(Call *call, const Unit *unit, const char *indent, Strings *seen) {
  Strings pulled = {0};
  Dependency kinds[] = {DEP_REQUIRES, DEP_WANTS, DEP_BINDS_TO, DEP_UPHOLDS};
  for (size_t i = 0; i < COUNT_OF(kinds); i++)
    for (size_t j = 0; j < unit->dependencies[kinds[i]].count; j++) strings_unique(&pulled, unit->dependencies[kinds[i]].items[j]);
  strings_sort(&pulled);
  for (size_t i = 0; i < pulled.count; i++) {
    const Unit *other = unit_get(pulled.items[i]);
    bool last = i + 1 == pulled.count, fresh = strings_unique(seen, other->name);
    bytes_format(&call->out, "%s%s%s %s%s%s\n", state_color(call, other), state_dot(other), paint(call, "\033[0m"), indent, last ? "└─" : "├─", other->name);
    char *deeper = format_text("%s%s", indent, last ? "  " : "│ ");
    if (fresh && (other->kind == UNIT_TARGET || call->options.all)) list_dependencies(call, other, deeper, seen);
    free(deeper);
  }
  strings_free(&pulled);
}

static void verb_list_dependencies(Call *call, const char *verb) {
  (void)verb;
  char *name = unit_full_name(call->words.count > 1 ? call->words.items[1] : "default.target");
  const Unit *unit = unit_get(name);
  Strings seen = {0};
  bytes_format(&call->out, "%s\n", unit->name);
  list_dependencies(call, unit, "", &seen);
  strings_free(&seen);
  free(name);
}

/* ---- the rest ---- */

static void verb_reload_daemon(Call *call, const char *verb) {
  (void)call, (void)verb;
  manager_reload();
}

static void verb_reset_failed(Call *call, const char *verb) {
  (void)verb;
  for (Unit *unit = units; unit; unit = unit->next)
    if (matches_patterns(call, unit->name)) unit_reset_failed(unit);
}

static void verb_power(Call *call, const char *verb) {
  (void)call;
  manager_shutdown(!strcmp(verb, "reboot") ? "reboot" : "poweroff");
}

static void verb_kill(Call *call, const char *verb) {
  (void)verb;
  const char *text = call->options.signal ? call->options.signal : "TERM";
  int signal = atoi(text);
  for (int i = 1; i < 32 && !signal; i++)
    if (!strcmp(signal_name(i), starts_with(text, "SIG") ? text + 3 : text)) signal = i;
  for (size_t i = 1; i < call->words.count; i++) {
    char *name = unit_full_name(call->words.items[i]);
    Strings pids = {0};
    unit_processes(unit_get(name), &pids);
    for (size_t j = 0; j < pids.count; j++) kill(atoi(pids.items[j]), signal);
    strings_free(&pids);
    free(name);
  }
}

static void verb_declared(Call *call, const char *verb) {
  bytes_format(&call->error, "Failed to %s unit: the unit files of this machine are made from /etc/nixos/configuration.nix and cannot be changed here.\nDeclare it there (for instance systemd.services.<name>.wantedBy) and run nixos-rebuild switch.\n", verb);
  call->status = EXIT_FAILED;
}

static void verb_get_default(Call *call, const char *verb) {
  (void)verb;
  bytes_format(&call->out, "%s\n", unit_get("default.target")->name);
}

static void verb_version(Call *call, const char *verb) {
  (void)verb;
  bytes_format(&call->out, "terrarium supervisor %s\n", SUPERVISOR_VERSION);
}

static const struct {
  const char *name;
  void (*run)(Call *call, const char *verb);
  bool needs_unit, changes;
} verbs[] = {{"start", verb_job, true, true},
             {"stop", verb_job, true, true},
             {"restart", verb_job, true, true},
             {"reload", verb_job, true, true},
             {"try-restart", verb_job, true, true},
             {"condrestart", verb_job, true, true},
             {"reload-or-restart", verb_job, true, true},
             {"try-reload-or-restart", verb_job, true, true},
             {"status", verb_status, false},
             {"show", verb_show, false},
             {"cat", verb_cat, true},
             {"is-active", verb_is, true},
             {"is-failed", verb_is, true},
             {"is-enabled", verb_is, true},
             {"is-system-running", verb_is_system_running, false},
             {"list-units", verb_list_units, false},
             {"list-timers", verb_list_timers, false},
             {"list-jobs", verb_list_jobs, false},
             {"list-unit-files", verb_list_unit_files, false},
             {"list-dependencies", verb_list_dependencies, false},
             {"daemon-reload", verb_reload_daemon, false, true},
             {"daemon-reexec", verb_reload_daemon, false, true},
             {"reset-failed", verb_reset_failed, false, true},
             {"poweroff", verb_power, false, true},
             {"halt", verb_power, false, true},
             {"reboot", verb_power, false, true},
             {"kill", verb_kill, true, true},
             {"enable", verb_declared, false},
             {"disable", verb_declared, false},
             {"mask", verb_declared, false},
             {"unmask", verb_declared, false},
             {"edit", verb_declared, false},
             {"set-default", verb_declared, false},
             {"get-default", verb_get_default, false},
             {"version", verb_version, false},
             {"_states", verb_states, false}};

static char **text_option(Options *options, const char *word, const char **value) {
  static const char *const names[] = {"--type=", "--state=", "--signal=", "--lines="};
  char **places[] = {&options->type, &options->state, &options->signal, &options->lines};
  static const char *const letters[] = {"-t", NULL, "-s", "-n"};
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    if (starts_with(word, names[i])) return *value = word + strlen(names[i]), places[i];
    if (letters[i] && starts_with(word, letters[i])) return *value = word[2] ? word + 2 : NULL, places[i];
  }
  return NULL;
}

static bool take_flag(Options *options, const char *word) {
  const struct {
    const char *name;
    bool *flag;
  } flags[] = {{"--all", &options->all},         {"-a", &options->all},       {"--failed", &options->failed}, {"--no-block", &options->no_block}, {"--quiet", &options->quiet},
               {"-q", &options->quiet},          {"--value", &options->value}, {"--plain", &options->plain},   {"--no-legend", &options->no_legend}, {"--full", &options->full},
               {"-l", &options->full},           {"--color", &options->color}, {"--no-pager", &options->full},  {"--now", &options->full},           {"--system", &options->full},
               {"--legend=false", &options->no_legend}, {"--force", &options->full}, {"-f", &options->full}, {"--no-ask-password", &options->full}, {"--no-wall", &options->full}};
  for (size_t i = 0; i < COUNT_OF(flags); i++)
    if (!strcmp(flags[i].name, word)) return *flags[i].flag = true;
  return false;
}

/* False when there is an option it does not know. */
static bool take_words(Call *call, const Strings *words) {
  for (size_t i = 0; i < words->count; i++) {
    const char *word = words->items[i], *value = NULL;
    if (*word != '-') {
      strings_add(&call->words, word);
      continue;
    }
    if (!strcmp(word, "--version")) {
      strings_add(&call->words, "version");
      continue;
    }
    if (starts_with(word, "--property=") || starts_with(word, "-p")) {
      value = *++word == '-' ? word + strlen("-property=") : word[1] ? word + 1 : i + 1 < words->count ? words->items[++i] : "";
      strings_split(&call->options.properties, value, ",");
      continue;
    }
    char **place = text_option(&call->options, word, &value);
    if (place) {
      if (!value && i + 1 < words->count) value = words->items[++i];
      free(*place);
      *place = copy_text(value ? value : "");
    } else if (!take_flag(&call->options, word)) {
      bytes_format(&call->error, "systemctl: unrecognized option '%s'\n", word);
      return false;
    }
  }
  return true;
}

static void run_call(Call *call) {
  const char *name = call->words.count ? call->words.items[0] : "list-units";
  if (!call->words.count) strings_add(&call->words, name);
  call->status = EXIT_FAILED;
  for (size_t i = 0; i < COUNT_OF(verbs); i++) {
    if (strcmp(verbs[i].name, name)) continue;
    if (verbs[i].needs_unit && call->words.count < 2) {
      bytes_text(&call->error, "Too few arguments.\n");
      return;
    }
    /* As without polkit: everybody may look, only root changes anything. */
    if (verbs[i].changes && !call->root) {
      bytes_format(&call->error, "Failed to %s %s: Access denied\n", name, call->words.count > 1 ? call->words.items[1] : "");
      return;
    }
    call->status = EXIT_OK;
    call->waiter = (Waiter){.on_done = job_done, .owner = call};
    verbs[i].run(call, name);
    return;
  }
  bytes_format(&call->error, "Unknown command verb '%s'.\n", name);
}

static void call_ready(void *owner, short events) {
  (void)events;
  Call *call = owner;
  char chunk[8192];
  ssize_t count = recv(call->fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) {
    end_call(call);
    return;
  }
  bytes_add(&call->in, chunk, count);
  Frame frame;
  ssize_t size = frame_peek(&call->in, 0, &frame);
  if (size == 0 || call->words.count) return;
  if (size < 0 || frame.type != CONTROL_CALL) {
    end_call(call);
    return;
  }
  Strings words = {0};
  frame_list(&frame, &words);
  /* While the verb runs its jobs may end at once: the answer is given here, after it. */
  call->answering = true;
  if (take_words(call, &words)) {
    run_call(call);
  } else {
    call->status = EXIT_FAILED;
  }
  call->answering = false;
  strings_free(&words);
  if (!call->waiter.pending) answer(call);
}

static void accept_call(void *owner, short events) {
  (void)events;
  int fd = accept4((int)(intptr_t)owner, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0) return;
  struct ucred caller;
  socklen_t length = sizeof caller;
  Call *call = allocate(sizeof *call);
  call->fd = fd;
  call->watch = watch_add(fd, EPOLLIN, call_ready, call);
  call->root = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &length) && caller.uid == 0;
}

void control_open(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET};
  unlink(CONTROL_SOCKET);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) die(CONTROL_SOCKET ": %s", strerror(errno));
  chmod(CONTROL_SOCKET, 0666);
  watch_add(fd, EPOLLIN, accept_call, (void *)(intptr_t)fd);
}
