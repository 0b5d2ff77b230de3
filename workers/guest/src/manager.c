/* The supervisor as a whole; see manager.h. */
#include "manager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control.h"
#include "host-link.h"
#include "jobs.h"
#include "journal.h"
#include "service.h"
#include "socket-unit.h"
#include "version.h"

static int64_t started_at;
static bool booted;
static const char *shutting_down;

int64_t manager_started(void) {
  return started_at;
}

void manager_status(const char *kind, const char *format, ...) {
  if (booted && !shutting_down) return;
  static const struct {
    const char *kind, *label;
  } labels[] = {{"OK", "[\033[0;32m  OK  \033[0m]"}, {"FAILED", "[\033[0;1;31mFAILED\033[0m]"}, {"DEPEND", "[\033[0;1;33mDEPEND\033[0m]"}};
  Bytes line = {0};
  for (size_t i = 0; i < COUNT_OF(labels); i++)
    if (!strcmp(labels[i].kind, kind)) bytes_format(&line, "%s ", labels[i].label);
  va_list arguments;
  va_start(arguments, format);
  char *text;
  if (vasprintf(&text, format, arguments) < 0) die("out of memory");
  va_end(arguments);
  bytes_format(&line, "%s\r\n", text);
  int console = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);
  if (console >= 0) {
    write_all(console, line.data, line.length);
    close(console);
  }
  free(text);
  bytes_free(&line);
}

size_t manager_failed_units(void) {
  size_t failed = 0;
  for (const Unit *unit = units; unit; unit = unit->next) failed += unit->active == STATE_FAILED;
  return failed;
}

const char *manager_system_state(void) {
  if (shutting_down) return "stopping";
  if (!booted) return "starting";
  return manager_failed_units() ? "degraded" : "running";
}


/* The kernel's messages: `priority,sequence,microseconds,…;text`. */
static void read_kernel_log(void *owner, short events) {
  (void)events;
  char record[2048];
  ssize_t length;
  while ((length = read((int)(intptr_t)owner, record, sizeof record - 1)) > 0) {
    record[length] = 0;
    char *text = strchr(record, ';');
    if (!text) continue;
    text[1 + strcspn(text + 1, "\n")] = 0;
    journal_write("kernel", "kernel", 0, atoi(record) & 7, text + 1);
  }
}

static void open_kernel_log(void) {
  int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  read_kernel_log((void *)(intptr_t)fd, EPOLLIN);
  watch_add(fd, EPOLLIN, read_kernel_log, (void *)(intptr_t)fd);
}

static void finish_boot(void) {
  booted = true;
  journal_format("init.scope", PRIORITY_INFO, "Startup finished in %lldms (userspace).", (long long)(monotonic_us() - started_at) / 1000);
  jobs_announce();
  host_event("boot", "running", manager_failed_units() ? "degraded" : "running", NULL);
  /* The kernel's messages can wait until nobody waits for the boot. */
  open_kernel_log();
}

static void finish_shutdown(void) {
  journal_format("init.scope", PRIORITY_INFO, "%s.", !strcmp(shutting_down, "reboot") ? "Rebooting" : "Powering off");
  journal_flush();
  sync();
  manager_status("OK", "Reached target %s.", !strcmp(shutting_down, "reboot") ? "System Reboot" : "System Power Off");
  /* The host answers by cutting the power: a virtual machine that resets itself comes back without its store. */
  host_event("power", shutting_down, NULL);
  for (;;) pause();
}

void manager_shutdown(const char *how) {
  if (shutting_down) return;
  shutting_down = how;
  for (Unit *unit = units; unit; unit = unit->next) {
    char *problem = NULL;
    if (unit->active != STATE_INACTIVE && unit->active != STATE_FAILED) job_request(unit, JOB_STOP, NULL, &problem);
    free(problem);
  }
}

void manager_reload(void) {
  journal_format("init.scope", PRIORITY_INFO, "Reloading...");
  units_reload();
}

/* ---- sockets ---- */

static void take_notification(void *owner, short events) {
  (void)events;
  char text[4096], control[CMSG_SPACE(sizeof(struct ucred))];
  struct iovec part = {text, sizeof text - 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg((int)(intptr_t)owner, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (length < 0) return;
  text[length] = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header))
    if (header->cmsg_type == SCM_CREDENTIALS) {
      struct ucred sender;
      memcpy(&sender, CMSG_DATA(header), sizeof sender);
      service_notify(sender.pid, text);
    }
}

/* syslog(3): `<13>Nov 22 19:38:56 name[12]: text`; the date may be absent. */
static void take_syslog(void *owner, short events) {
  (void)events;
  char text[4096];
  ssize_t length = recv((int)(intptr_t)owner, text, sizeof text - 1, MSG_DONTWAIT);
  if (length <= 0) return;
  text[length] = 0;
  char *place = text;
  int priority = *place == '<' ? (int)strtol(place + 1, &place, 10) & 7 : PRIORITY_INFO;
  if (*place == '>') place++;
  if (strlen(place) > 16 && place[3] == ' ' && place[9] == ':' && place[15] == ' ') place += 16;
  char *colon = strstr(place, ": ");
  char *bracket = colon ? memchr(place, '[', colon - place) : NULL;
  long pid = bracket ? atol(bracket + 1) : 0;
  if (colon) *colon = 0;
  if (bracket) *bracket = 0;
  journal_write("syslog.socket", colon ? place : "syslog", pid, priority, trim(colon ? colon + 2 : place));
}

static void open_datagrams(const char *path, WatchFunction *function, bool credentials) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  unlink(path);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    complain("%s: %s", path, strerror(errno));
    return;
  }
  chmod(path, 0666);
  if (credentials) setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &(int){1}, sizeof(int));
  watch_add(fd, EPOLLIN, function, (void *)(intptr_t)fd);
}

/* ---- the main loop ---- */

static void on_signal(int signal) {
  int status;
  pid_t pid;
  switch (signal) {
    case SIGCHLD:
      while ((pid = waitpid(-1, &status, WNOHANG)) > 0) service_child(pid, status);
      services_check_groups();
      break;
    case SIGTERM:
    case SIGINT: manager_shutdown("reboot"); break;
    case SIGHUP: manager_reload(); break;
    default: manager_shutdown("poweroff");
  }
}

static void after_round(void) {
  units_forget_listing();
  jobs_run();
  sockets_rearm();
  jobs_run();
  if (!booted && jobs_idle()) finish_boot();
  jobs_announce();
  journal_flush();
  if (shutting_down && jobs_idle()) finish_shutdown();
}

static void prepare(void) {
  make_directories("/run/systemd/system", 0755);
  make_directories("/run/systemd/units", 0755);
  signal(SIGPIPE, SIG_IGN);
  loop_signals((int[]){SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPWR}, 7, on_signal);
  open_datagrams("/run/systemd/notify", take_notification, true);
  open_datagrams("/dev/log", take_syslog, false);
  control_open();
}

static void welcome(void) {
  struct utsname names;
  uname(&names);
  journal_format("init.scope", PRIORITY_INFO, "terrarium supervisor %s running in system mode.", SUPERVISOR_VERSION);
  journal_format("init.scope", PRIORITY_INFO, "Hostname set to <%s>.", names.nodename);
}

static int supervise(void) {
  program_name = "systemd";
  started_at = monotonic_us();
  umask(022);
  prepare();
  host_event("boot", "supervisor", "starting services", NULL);
  welcome();
  char *problem = NULL;
  if (!job_request(unit_get("default.target"), JOB_START, NULL, &problem)) {
    journal_format("init.scope", PRIORITY_ERROR, "Failed to start default target: %s", problem);
    host_event("boot", "failed", problem, NULL);
  }
  free(problem);
  loop_idle(after_round);
  loop_run();
  return 1;
}

/* `systemd --verify FILE…`: what the supervisor thinks of unit files, for tests and for the curious. */
static int verify(char **paths) {
  int problems = 0;
  for (; *paths; paths++) {
    UnitFile file = {0};
    if (!unit_file_read(&file, *paths)) die("%s: %s", *paths, strerror(errno));
    for (size_t i = 0; i < file.count; i++) {
      KeySupport support = key_support(file.items[i].section, file.items[i].key);
      if (support == KEY_SUPPORTED) continue;
      problems++;
      printf("%s: [%s] %s=: %s\n", base_name(*paths), file.items[i].section, file.items[i].key, support == KEY_UNKNOWN ? "unknown" : "accepted but not enforced");
    }
    unit_file_free(&file);
  }
  return problems > 0;
}

int manager_main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "--version")) {
    printf("terrarium supervisor %s (behaves like systemd for the keys listed in its manual)\n", SUPERVISOR_VERSION);
    return 0;
  }
  if (argc > 1 && !strcmp(argv[1], "--verify")) return verify(argv + 2);
  if (getpid() != 1) die("it is to be run as process 1 of a machine");
  return supervise();
}
