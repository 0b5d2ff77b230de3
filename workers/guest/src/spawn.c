/* One process of a service; see spawn.h. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <unistd.h>

#include "journal.h"
#include "loop.h"
#include "process.h"
#include "service.h"
#include "user.h"

#define DEFAULT_PATH "PATH=/run/current-system/sw/bin:/run/current-system/systemd/bin"

static const char *get(const Unit *unit, const char *key) {
  return unit_file_get(&unit->file, "Service", key);
}

const char *exit_code_name(int code) {
  static const struct {
    int code;
    const char *name;
  } names[] = {{0, "SUCCESS"},      {1, "FAILURE"},       {2, "INVALIDARGUMENT"}, {3, "NOTIMPLEMENTED"}, {4, "NOPERMISSION"}, {5, "NOTINSTALLED"},           {6, "NOTCONFIGURED"},
               {7, "NOTRUNNING"},   {EXIT_CHDIR, "CHDIR"}, {EXIT_EXEC, "EXEC"},     {EXIT_STDIN, "STDIN"}, {EXIT_STDOUT, "STDOUT"}, {EXIT_GROUP, "GROUP"}, {EXIT_USER, "USER"}, {EXIT_RUNTIME_DIRECTORY, "RUNTIME_DIRECTORY"}};
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (names[i].code == code) return names[i].name;
  return NULL;
}

/* ---- what the processes print ---- */

typedef struct {
  int fd;
  Watch *watch;
  char *unit, *identifier;
  long pid;
  Bytes partial;
} Log;

/* A line may begin with its priority, `<3>`, as for the kernel's log. */
static void take_log_line(Log *log, char *line) {
  int priority = PRIORITY_INFO;
  if (line[0] == '<' && line[1] >= '0' && line[1] <= '7' && line[2] == '>') {
    priority = line[1] - '0';
    line += 3;
  }
  size_t length = strlen(line);
  if (length && line[length - 1] == '\r') line[length - 1] = 0;
  journal_write(log->unit, log->identifier, log->pid, priority, line);
}

static void log_ready(void *owner, short events) {
  (void)events;
  Log *log = owner;
  char chunk[8192];
  ssize_t count = read(log->fd, chunk, sizeof chunk);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) bytes_add(&log->partial, chunk, count);
  size_t start = 0;
  for (char *end; log->partial.length > start && (end = memchr(log->partial.data + start, '\n', log->partial.length - start));) {
    *end = 0;
    take_log_line(log, log->partial.data + start);
    start = end + 1 - log->partial.data;
  }
  bytes_drop(&log->partial, start);
  if (count > 0 && log->partial.length < 49152) return;
  if (log->partial.length) take_log_line(log, log->partial.data);
  bytes_free(&log->partial);
  if (count > 0) return;
  watch_remove(log->watch);
  close(log->fd);
  free(log->unit);
  free(log->identifier);
  free(log);
}

static void read_log(Unit *unit, const char *program, pid_t pid, int fd) {
  const char *identifier = get(unit, "SyslogIdentifier");
  Log *log = allocate(sizeof *log);
  *log = (Log){.fd = fd, .unit = copy_text(unit->name), .identifier = copy_text(identifier ? identifier : base_name(program)), .pid = pid};
  fcntl(fd, F_SETFL, O_NONBLOCK);
  log->watch = watch_add(fd, EPOLLIN, log_ready, log);
}

/* ---- in the child ---- */

/* Which unit this child is of, for its complaint. */
static const char *child_unit;

static _Noreturn void give_up(int code, const char *step, const char *detail) {
  fprintf(stderr, "<3>%s: Failed at step %s spawning %s: %s\n", child_unit, step, detail, strerror(errno));
  _exit(code);
}

static void read_environment_file(Strings *environment, const char *path) {
  bool optional = *path == '-';
  char *text = read_file(path + optional, NULL), *rest = text;
  if (!text && !optional) {
    fprintf(stderr, "<3>Failed to load environment files: %s: %s\n", path, strerror(errno));
    _exit(1);
  }
  while (rest) {
    char *line = trim(strsep(&rest, "\n"));
    char *equals = strchr(line, '=');
    if (!equals || *line == '#' || *line == ';') continue;
    Strings value = {0};
    *equals = 0;
    bool quoted = equals[1] == '"' || equals[1] == '\'';
    if (quoted) split_quoted(equals + 1, &value);
    char *entry = format_text("%s=%s", trim(line), quoted && value.count ? value.items[0] : equals + 1);
    environment_set(environment, entry);
    free(entry);
    strings_free(&value);
  }
  free(text);
}

static void set_entry(Strings *environment, const char *key, const char *value) {
  char *entry = format_text("%s=%s", key, value);
  environment_set(environment, entry);
  free(entry);
}

static const struct {
  const char *key, *variable, *parent;
  mode_t mode;
} directory_kinds[] = {{"RuntimeDirectory", "RUNTIME_DIRECTORY", "/run", 0755},
                       {"StateDirectory", "STATE_DIRECTORY", "/var/lib", 0755},
                       {"CacheDirectory", "CACHE_DIRECTORY", "/var/cache", 0755},
                       {"LogsDirectory", "LOGS_DIRECTORY", "/var/log", 0755},
                       {"ConfigurationDirectory", "CONFIGURATION_DIRECTORY", "/etc", 0755}};

static void make_service_directories(const Unit *unit, const User *user, Strings *environment) {
  for (size_t i = 0; i < COUNT_OF(directory_kinds); i++) {
    Strings names = {0}, paths = {0};
    unit_file_words(&unit->file, "Service", directory_kinds[i].key, &names);
    char *mode_key = format_text("%sMode", directory_kinds[i].key);
    const char *mode_text = get(unit, mode_key);
    mode_t mode = mode_text ? (mode_t)strtol(mode_text, NULL, 8) : directory_kinds[i].mode;
    for (size_t j = 0; j < names.count; j++) {
      char *path = format_text("%s/%s", directory_kinds[i].parent, names.items[j]);
      path[strlen(directory_kinds[i].parent) + 1 + strcspn(names.items[j], ":")] = 0;
      if (!make_directories(path, 0755) || chmod(path, mode) < 0 || lchown(path, user->uid, user->gid) < 0) give_up(EXIT_RUNTIME_DIRECTORY, directory_kinds[i].variable, path);
      strings_take(&paths, path);
    }
    char *joined = strings_join(&paths, ":");
    if (paths.count) set_entry(environment, directory_kinds[i].variable, joined);
    free(joined);
    free(mode_key);
    strings_free(&names);
    strings_free(&paths);
  }
}

void spawn_remove_runtime_directories(const Unit *unit) {
  const char *preserve = get(unit, "RuntimeDirectoryPreserve");
  if (preserve && (parse_bool(preserve) || !strcmp(preserve, "restart"))) return;
  Strings names = {0};
  unit_file_words(&unit->file, "Service", "RuntimeDirectory", &names);
  for (size_t i = 0; i < names.count; i++) {
    char *path = format_text("/run/%s", names.items[i]);
    remove_tree(path);
    free(path);
  }
  strings_free(&names);
}

static void unit_environment(const Unit *unit, const User *user, Strings *environment) {
  strings_add(environment, DEFAULT_PATH);
  strings_add(environment, "LANG=C.UTF-8");
  if (get(unit, "User") || get(unit, "DynamicUser")) {
    set_entry(environment, "USER", user->name);
    set_entry(environment, "LOGNAME", user->name);
    set_entry(environment, "HOME", user->home);
    set_entry(environment, "SHELL", user->shell);
  }
  Strings passed = {0};
  unit_file_words(&unit->file, "Service", "PassEnvironment", &passed);
  for (size_t i = 0; i < passed.count; i++)
    if (getenv(passed.items[i])) set_entry(environment, passed.items[i], getenv(passed.items[i]));
  Strings values = unit_file_all(&unit->file, "Service", "Environment");
  for (size_t i = 0; i < values.count; i++) {
    Strings words = {0};
    split_quoted(values.items[i], &words);
    for (size_t j = 0; j < words.count; j++) environment_set(environment, words.items[j]);
  }
  values = unit_file_all(&unit->file, "Service", "EnvironmentFile");
  for (size_t i = 0; i < values.count; i++) read_environment_file(environment, values.items[i]);
}

static rlim_t parse_limit(const char *text) {
  if (!strcmp(text, "infinity")) return RLIM_INFINITY;
  char *end;
  rlim_t value = strtoull(text, &end, 10);
  static const char suffixes[] = "KMGT";
  const char *suffix = *end ? strchr(suffixes, *end) : NULL;
  return suffix ? value << (10 * (suffix - suffixes + 1)) : value;
}

static void set_limits(const Unit *unit) {
  static const struct {
    const char *key;
    int resource;
  } limits[] = {{"LimitNOFILE", RLIMIT_NOFILE}, {"LimitNPROC", RLIMIT_NPROC}, {"LimitCORE", RLIMIT_CORE}, {"LimitMEMLOCK", RLIMIT_MEMLOCK}, {"LimitAS", RLIMIT_AS}, {"LimitFSIZE", RLIMIT_FSIZE}};
  for (size_t i = 0; i < COUNT_OF(limits); i++) {
    const char *value = get(unit, limits[i].key);
    if (!value) continue;
    const char *colon = strchr(value, ':');
    struct rlimit limit = {.rlim_cur = parse_limit(value), .rlim_max = parse_limit(colon ? colon + 1 : value)};
    if (setrlimit(limits[i].resource, &limit) < 0) complain("%s: %s", limits[i].key, strerror(errno));
  }
}

static const char *const capability_names[] = {
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID", "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT", "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG", "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"};

/* The bits of a capability list; a leading `~` means all others. */
static uint64_t capability_set(const Strings *words, uint64_t absent) {
  if (!words->count) return absent;
  uint64_t set = 0;
  bool inverted = words->items[0][0] == '~';
  for (size_t i = 0; i < words->count; i++) {
    const char *name = words->items[i] + (i == 0 && inverted);
    for (size_t j = 0; j < COUNT_OF(capability_names) && starts_with(name, "CAP_"); j++)
      if (!strcmp(name + 4, capability_names[j])) set |= UINT64_C(1) << j;
  }
  return inverted ? ~set : set;
}

static uint64_t read_capabilities(const Unit *unit, const char *key, uint64_t absent) {
  Strings words = {0};
  unit_file_words(&unit->file, "Service", key, &words);
  /* `CapabilityBoundingSet=` alone empties the set. */
  bool emptied = false;
  for (size_t i = 0; i < unit->file.count; i++) emptied |= !strcmp(unit->file.items[i].key, key) && !*unit->file.items[i].value;
  uint64_t set = capability_set(&words, emptied ? 0 : absent);
  strings_free(&words);
  return set;
}

static void raise_ambient(uint64_t set) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {0};
  for (int i = 0; i < 2; i++) data[i].permitted = data[i].effective = data[i].inheritable = (uint32_t)(set >> (32 * i));
  if (syscall(SYS_capset, &header, data) < 0) give_up(EXIT_USER, "CAPABILITIES", "capabilities");
  for (unsigned i = 0; i < COUNT_OF(capability_names); i++)
    if (set >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0) give_up(EXIT_USER, "CAPABILITIES", capability_names[i]);
}

static void take_identity(const Unit *unit, User *user, const CommandLine *command) {
  uint64_t bounding = read_capabilities(unit, "CapabilityBoundingSet", ~UINT64_C(0)), ambient = read_capabilities(unit, "AmbientCapabilities", 0) & bounding;
  for (unsigned i = 0; i < COUNT_OF(capability_names) && !command->privileged; i++)
    if (!(bounding >> i & 1)) prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
  if (unit_file_bool(&unit->file, "Service", "NoNewPrivileges", false)) prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (command->privileged) return;
  Strings groups = {0};
  unit_file_words(&unit->file, "Service", "SupplementaryGroups", &groups);
  bool changes = get(unit, "User") || get(unit, "Group") || get(unit, "DynamicUser") || groups.count;
  if (changes && ambient) prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0);
  if (changes && !user_become(user, &groups)) give_up(EXIT_USER, "USER", user->name);
  if (ambient && user->uid) raise_ambient(ambient);
}

static void find_user(const Unit *unit, User *user) {
  const char *name = get(unit, "User"), *group = get(unit, "Group");
  bool dynamic = unit_file_bool(&unit->file, "Service", "DynamicUser", false);
  errno = ESRCH;
  if (dynamic && !(name && user_find(name, user))) {
    /* systemd draws the number from this range by a hash of the name. */
    uint32_t hash = 2166136261u;
    for (const char *place = unit->name; *place; place++) hash = (hash ^ (uint8_t)*place) * 16777619u;
    uid_t uid = 61184 + hash % 4336;
    *user = (User){format_text("%.*s", (int)strcspn(unit->name, "."), unit->name), copy_text("/"), copy_text("/bin/sh"), uid, uid};
  } else if (!user_find(name ? name : "root", user)) {
    give_up(EXIT_USER, "USER", name);
  }
  if (group && !group_find(group, &user->gid)) give_up(EXIT_GROUP, "GROUP", group);
}

static const char *terminal_path(const Unit *unit) {
  const char *path = get(unit, "TTYPath");
  return path ? path : "/dev/console";
}

static int open_terminal(const Unit *unit, bool controlling) {
  int fd = open(terminal_path(unit), O_RDWR | O_NOCTTY);
  if (fd < 0) give_up(EXIT_STDIN, "STDIN", terminal_path(unit));
  struct termios modes;
  if (unit_file_bool(&unit->file, "Service", "TTYReset", false) && !tcgetattr(fd, &modes)) {
    modes.c_iflag = ICRNL | IXON | IUTF8;
    modes.c_oflag = OPOST | ONLCR;
    modes.c_lflag = ISIG | ICANON | IEXTEN | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE;
    tcsetattr(fd, TCSANOW, &modes);
  }
  if (controlling) ioctl(fd, TIOCSCTTY, 1);
  return fd;
}

/* `null`, `tty`, `journal`, `file:/x`, `append:/x`, `truncate:/x`, `inherit`: a descriptor. */
static int open_output(const Unit *unit, const char *kind, int inherited, int log) {
  if (!kind || !strcmp(kind, "inherit")) return inherited;
  if (!strcmp(kind, "null")) return open("/dev/null", O_WRONLY);
  if (!strcmp(kind, "tty")) return open_terminal(unit, false);
  int flags = starts_with(kind, "append:") ? O_APPEND : starts_with(kind, "truncate:") ? O_TRUNC : starts_with(kind, "file:") ? 0 : -1;
  if (flags < 0) return log;
  int fd = open(strchr(kind, ':') + 1, O_WRONLY | O_CREAT | flags, 0644);
  if (fd < 0) give_up(EXIT_STDOUT, "STDOUT", kind);
  return fd;
}

static void attach_streams(const Unit *unit, int log) {
  const char *input_kind = get(unit, "StandardInput"), *output_kind = get(unit, "StandardOutput");
  bool terminal = input_kind && starts_with(input_kind, "tty");
  int input = terminal ? open_terminal(unit, true) : open(input_kind && starts_with(input_kind, "file:") ? input_kind + 5 : "/dev/null", O_RDONLY);
  if (input < 0) give_up(EXIT_STDIN, "STDIN", input_kind ? input_kind : "/dev/null");
  int output = open_output(unit, output_kind, terminal ? input : log, log);
  int error = open_output(unit, get(unit, "StandardError"), output, log);
  int copies[3] = {fcntl(input, F_DUPFD, 10), fcntl(output, F_DUPFD, 10), fcntl(error, F_DUPFD, 10)};
  for (int i = 0; i < 3; i++) dup2(copies[i], i);
}

static void pass_sockets(const Spawn *spawn, Strings *environment) {
  if (!spawn->socket_count) return;
  for (size_t i = 0; i < spawn->socket_count; i++) dup2(spawn->sockets[i], 3 + (int)i);
  char *count = format_text("%zu", spawn->socket_count), *pid = format_text("%d", (int)getpid());
  set_entry(environment, "LISTEN_FDS", count);
  set_entry(environment, "LISTEN_PID", pid);
}

static void close_others(const Spawn *spawn) {
  for (int fd = 3 + (int)spawn->socket_count; fd < 256; fd++)
    if (fd != spawn->executed) close(fd);
}

static void enter_group(const Unit *unit) {
  char *group = unit_group(unit), *file = format_text("%s/cgroup.procs", group);
  write_file(file, "0", 0644);
  free(file);
  free(group);
}

static void change_directory(const Unit *unit, const User *user) {
  const char *root = get(unit, "RootDirectory"), *path = get(unit, "WorkingDirectory");
  if (root && (chroot(root) < 0 || chdir("/") < 0)) give_up(EXIT_CHDIR, "CHROOT", root);
  bool optional = path && *path == '-';
  path = path ? path + optional : "/";
  if (chdir(!strcmp(path, "~") ? user->home : path) < 0 && !optional) give_up(EXIT_CHDIR, "CHDIR", path);
}

static _Noreturn void run_child(Unit *unit, Spawn *spawn, int log) {
  Strings environment = {0};
  User user;
  child_unit = unit->name;
  setsid();
  enter_group(unit);
  dup2(log, 2);
  signals_reset();
  if (unit_file_bool(&unit->file, "Service", "IgnoreSIGPIPE", true)) signal(SIGPIPE, SIG_IGN);
  find_user(unit, &user);
  attach_streams(unit, log);
  unit_environment(unit, &user, &environment);
  make_service_directories(unit, &user, &environment);
  pass_sockets(spawn, &environment);
  for (size_t i = 0; i < spawn->environment.count; i++) environment_set(&environment, spawn->environment.items[i]);
  Strings unset = {0};
  unit_file_words(&unit->file, "Service", "UnsetEnvironment", &unset);
  const char *mask = get(unit, "UMask"), *nice_text = get(unit, "Nice");
  umask(mask ? (mode_t)strtol(mask, NULL, 8) : 022);
  if (nice_text && setpriority(PRIO_PROCESS, 0, atoi(nice_text)) < 0) complain("Nice=: %s", strerror(errno));
  set_limits(unit);
  take_identity(unit, &user, spawn->command);
  change_directory(unit, &user);
  close_others(spawn);
  environ = environment.items;
  for (size_t i = 0; i < unset.count; i++) unsetenv(unset.items[i]);
  expand_variables(spawn->command, &environment);
  execvp(spawn->command->program, spawn->command->argv.items);
  if (spawn->executed >= 0 && write(spawn->executed, "x", 1) < 0) _exit(EXIT_EXEC);
  give_up(EXIT_EXEC, "EXEC", spawn->command->program);
}

pid_t spawn(Unit *unit, Spawn *spawn) {
  int log[2];
  if (pipe2(log, O_CLOEXEC) < 0) return -1;
  pid_t pid = fork();
  if (pid == 0) run_child(unit, spawn, log[1]);
  close(log[1]);
  if (pid > 0) {
    read_log(unit, spawn->command->program, pid, log[0]);
  } else {
    close(log[0]);
  }
  return pid;
}
