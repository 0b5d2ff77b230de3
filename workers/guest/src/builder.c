/*
 * BUILD: one derivation in a fresh sandbox; see builder.h.
 *
 * The sandbox's root is a tmpfs that the agent mounts for itself, so that the outputs outlive the builder's namespaces; the inputs are bound into it in the
 * builder's own mount namespace only. The builder is PID 1 of its namespace: when it ends, whatever it left behind ends too.
 * Then a child copies every store object that is not an input to the host.
 */
#include "builder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "boot.h"
#include "frame.h"
#include "loop.h"
#include "process.h"
#include "stream.h"

#define ROOT "/sandbox"
#define STORE ROOT "/nix/store"
#define SPECIFICATION "/host/build/spec"
#define RESULT "/host/build/out"
#define CGROUP "/sys/fs/cgroup/build"
#define SHELL "/bin/sandbox-shell"

enum { BUILD_UID = 1000, BUILD_GID = 100 };

typedef struct {
  /* Store paths, `/nix/store/…`. */
  Strings inputs;
  Strings argv, environment;
  const char *memory;
} Build;

/* The stream whose outputs are being copied, by the child that copies them. */
static Stream *copying;
static pid_t copier;
static Strings input_names;

static void fail(uint32_t stream, const char *what) {
  Strings words = {0};
  strings_add(&words, "error");
  strings_format(&words, "%s: %s", what, strerror(errno));
  agent_send_list(TO_HOST_EXIT, stream, &words);
  strings_free(&words);
}

/* A file of NUL-ended strings. */
static bool read_list(const char *path, Strings *list) {
  size_t length;
  char *content = read_file(path, &length);
  if (!content) return false;
  for (char *text = content; text < content + length; text += strlen(text) + 1) strings_add(list, text);
  free(content);
  return true;
}

static bool read_specification(Build *build, const Strings *request) {
  char *inputs = read_file(SPECIFICATION "/inputs", NULL);
  if (!inputs) return false;
  strings_split(&build->inputs, inputs, "\n");
  free(inputs);
  build->memory = request->count > 1 ? request->items[1] : "0";
  return read_list(SPECIFICATION "/argv", &build->argv) && build->argv.count && read_list(SPECIFICATION "/env", &build->environment);
}

/* ---- the root, in the agent's own mount namespace ---- */

static bool make_directory(const char *path, mode_t mode, uid_t uid, gid_t gid) {
  return make_directories(path, 0755) && !chmod(path, mode) && !chown(path, uid, gid);
}

static bool make_device(const char *name, unsigned major, unsigned minor) {
  char *path = format_text(ROOT "/dev/%s", name);
  bool made = !mknod(path, S_IFCHR | 0666, makedev(major, minor)) && !chmod(path, 0666);
  free(path);
  return made;
}

static bool make_devices(void) {
  return make_device("null", 1, 3) && make_device("zero", 1, 5) && make_device("full", 1, 7) && make_device("random", 1, 8) &&
         make_device("urandom", 1, 9) && make_device("tty", 5, 0) && !symlink("/dev/pts/ptmx", ROOT "/dev/ptmx") &&
         !symlink("/proc/self/fd", ROOT "/dev/fd") && !symlink("/proc/self/fd/0", ROOT "/dev/stdin") &&
         !symlink("/proc/self/fd/1", ROOT "/dev/stdout") && !symlink("/proc/self/fd/2", ROOT "/dev/stderr");
}

static bool make_texts(void) {
  return write_file(ROOT "/etc/passwd",
                    "root:x:0:0:Nix build user:/build:/noshell\n"
                    "nixbld:x:1000:100:Nix build user:/build:/noshell\n"
                    "nobody:x:65534:65534:Nobody:/:/noshell\n",
                    0644) &&
         write_file(ROOT "/etc/group", "root:x:0:\nnixbld:!:100:\nnogroup:x:65534:\n", 0644) &&
         write_file(ROOT "/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n", 0644);
}

static bool copy_shell(void) {
  size_t length;
  char *content = read_file(SHELL, &length);
  if (!content) return false;
  int fd = open(ROOT "/bin/sh", O_WRONLY | O_CREAT | O_CLOEXEC, 0555);
  bool done = fd >= 0 && write_all(fd, content, length);
  close(fd);
  free(content);
  return done;
}

static bool make_root(void) {
  make_directories(ROOT, 0755);
  if (mount("tmpfs", ROOT, "tmpfs", MS_NOSUID, "mode=0755,size=90%") < 0) return false;
  return make_directory(STORE, 01775, 0, BUILD_GID) && make_directory(ROOT "/build", 0700, BUILD_UID, BUILD_GID) && make_directory(ROOT "/tmp", 01777, 0, 0) &&
         make_directory(ROOT "/bin", 0755, 0, 0) && make_directory(ROOT "/etc", 0755, 0, 0) && make_directory(ROOT "/proc", 0555, 0, 0) &&
         make_directory(ROOT "/dev/shm", 01777, 0, 0) && make_directory(ROOT "/dev/pts", 0755, 0, 0) && make_devices() && make_texts() && copy_shell() && !chmod(ROOT "/etc", 0555) &&
         make_directory(ROOT, 0750, 0, BUILD_GID);
}

/* Mount points for the inputs (links cannot be bound and are made again). */
static bool make_mount_points(const Build *build) {
  for (size_t i = 0; i < build->inputs.count; i++) {
    const char *name = base_name(build->inputs.items[i]);
    char *source = format_text("/host/store/%s", name), *place = format_text(STORE "/%s", name);
    struct stat status;
    bool done = !lstat(source, &status);
    if (done && S_ISDIR(status.st_mode)) {
      done = !mkdir(place, 0555);
    } else if (done && S_ISLNK(status.st_mode)) {
      char *target = read_link(source);
      done = target && !symlink(target, place);
      free(target);
    } else if (done) {
      done = !mknod(place, S_IFREG | 0444, 0);
    }
    free(source);
    free(place);
    if (!done) return false;
  }
  return true;
}

/* The files the host laid out for the build directory (`.attrs.json`, passAsFile). */
static bool copy_tree(const char *source, const char *target, bool own);

static bool fill_build_directory(void) {
  return !is_directory(SPECIFICATION "/files") || copy_tree(SPECIFICATION "/files", ROOT "/build", true);
}

/* ---- the builder's process ---- */

static bool bind_inputs(const Build *build) {
  for (size_t i = 0; i < build->inputs.count; i++) {
    const char *name = base_name(build->inputs.items[i]);
    char *source = format_text("/host/store/%s", name), *place = format_text(STORE "/%s", name);
    struct stat status;
    bool done = !lstat(place, &status);
    if (done && !S_ISLNK(status.st_mode))
      done = !mount(source, place, NULL, MS_BIND, NULL) && !mount(NULL, place, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL);
    free(source);
    free(place);
    if (!done) return false;
  }
  return true;
}

static bool enter_root(void) {
  return !mount("proc", ROOT "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) &&
         !mount("devpts", ROOT "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,mode=0620,ptmxmode=0666") && !chdir(ROOT) &&
         !mount(".", "/", NULL, MS_MOVE, NULL) && !chroot(".") && !chdir("/");
}

static bool set_host_name(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  bool done = !ioctl(fd, SIOCSIFFLAGS, &request) && !sethostname("localhost", 9) && !setdomainname("(none)", 6);
  close(fd);
  return done;
}

typedef struct {
  int call;
  /* Which argument holds a mode that must have no set-ID bit; -1: the call is refused whatever it is given. */
  int mode_argument;
  unsigned error;
} Refusal;

/* A store object has no set-ID bit and no extended attribute: Nix refuses to make either, and so do we. */
static const Refusal refusals[] = {
    {SYS_chmod, 1, EPERM},      {SYS_fchmod, 1, EPERM},         {SYS_fchmodat, 2, EPERM},
    {SYS_setxattr, -1, ENOTSUP}, {SYS_lsetxattr, -1, ENOTSUP}, {SYS_fsetxattr, -1, ENOTSUP},
};

static size_t refuse(struct sock_filter *place, const Refusal *refusal) {
  const struct sock_filter always[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refusal->call, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refusal->error),
  };
  const struct sock_filter with_mode[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)refusal->call, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (unsigned)(offsetof(struct seccomp_data, args) + 8 * (size_t)refusal->mode_argument)),
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, S_ISUID | S_ISGID, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | refusal->error),
  };
  if (refusal->mode_argument < 0) {
    memcpy(place, always, sizeof always);
    return COUNT_OF(always);
  }
  memcpy(place, with_mode, sizeof with_mode);
  return COUNT_OF(with_mode);
}

static bool filter_calls(void) {
  struct sock_filter program[COUNT_OF(refusals) * 5 + 1];
  size_t length = 0;
  for (size_t i = 0; i < COUNT_OF(refusals); i++) length += refuse(program + length, &refusals[i]);
  program[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  struct sock_fprog filter = {.len = (unsigned short)length, .filter = program};
  return !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

/* Standard input is nothing; output and errors go to a raw terminal, as Nix's builds have it. */
static void attach_log(const char *terminal) {
  int log = open(terminal, O_RDWR | O_NOCTTY), nothing = open("/dev/null", O_RDWR);
  struct termios modes;
  if (log < 0 || nothing < 0 || tcgetattr(log, &modes) < 0) _exit(1);
  cfmakeraw(&modes);
  tcsetattr(log, TCSANOW, &modes);
  dup2(nothing, 0);
  dup2(log, 1);
  dup2(log, 2);
  for (int fd = 3; fd < 1024; fd++) close(fd);
}

static bool write_map(const char *file, const char *text) {
  char *path = format_text("/proc/1/%s", file);
  bool done = write_file(path, text, 0);
  free(path);
  return done;
}

/*
 * Into a user namespace that knows only nixbld: every other owner looks like nobody, and nothing outside is in reach. The maps have to be
 * written by a privileged process of the namespace above, so a child stays behind for that.
 */
static bool become_builder(void) {
  int go[2];
  if (pipe(go) < 0) return false;
  pid_t helper = fork();
  if (helper == 0) {
    char byte;
    close(go[1]);
    bool done = read(go[0], &byte, 1) == 1 && write_map("setgroups", "deny") && write_map("gid_map", "100 100 1") && write_map("uid_map", "1000 1000 1");
    _exit(done ? 0 : 1);
  }
  bool inside = !setgroups(0, NULL) && !setresgid(BUILD_GID, BUILD_GID, BUILD_GID) && !setresuid(BUILD_UID, BUILD_UID, BUILD_UID) &&
                !unshare(CLONE_NEWUSER) && write(go[1], "", 1) == 1;
  close(go[0]);
  close(go[1]);
  int status;
  return waitpid(helper, &status, 0) == helper && status == 0 && inside;
}

static _Noreturn void run_builder(const Build *build, const char *terminal) {
  program_name = "sandbox";
  setsid();
  signals_reset();
  attach_log(terminal);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || !bind_inputs(build)) die("inputs: %s", strerror(errno));
  if (!enter_root() || !set_host_name()) die("root: %s", strerror(errno));
  if (!become_builder()) die("user namespace: %s", strerror(errno));
  struct rlimit none = {0, RLIM_INFINITY};
  setrlimit(RLIMIT_CORE, &none);
  personality(ADDR_NO_RANDOMIZE);
  umask(022);
  if (!filter_calls() || chdir("/build") < 0) die("/build: %s", strerror(errno));
  /* As Nix calls it: the program's own name is the builder's base name. */
  const char *builder = build->argv.items[0];
  build->argv.items[0] = copy_text(base_name(builder));
  execve(builder, build->argv.items, build->environment.items);
  die("executing '%s': %s", builder, strerror(errno));
}

/* ---- the outputs ---- */

static bool copy_content(const char *source, const char *target, mode_t mode) {
  int from = open(source, O_RDONLY | O_CLOEXEC), to = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 07777);
  static char chunk[262144];
  ssize_t count = from < 0 || to < 0 ? -1 : 0;
  while (count >= 0 && (count = read(from, chunk, sizeof chunk)) > 0)
    if (!write_all(to, chunk, count)) count = -1;
  close(from);
  return close(to) == 0 && count == 0;
}

static bool copy_entries(const char *source, const char *target, bool own) {
  DIR *directory = opendir(source);
  bool done = directory != NULL;
  for (struct dirent *entry; done && (entry = readdir(directory));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char *from = format_text("%s/%s", source, entry->d_name), *to = format_text("%s/%s", target, entry->d_name);
    done = copy_tree(from, to, own);
    free(from);
    free(to);
  }
  if (directory) closedir(directory);
  return done;
}

/* `own`: the copy belongs to the build's user. What is neither file, directory nor link is an error, as for Nix. */
static bool copy_tree(const char *source, const char *target, bool own) {
  struct stat status;
  if (lstat(source, &status) < 0) return false;
  bool done;
  if (S_ISDIR(status.st_mode)) {
    done = (!mkdir(target, status.st_mode & 07777) || errno == EEXIST) && copy_entries(source, target, own);
  } else if (S_ISLNK(status.st_mode)) {
    char *link = read_link(source);
    done = link && !symlink(link, target);
    free(link);
  } else if (S_ISREG(status.st_mode)) {
    done = copy_content(source, target, status.st_mode);
  } else {
    errno = EINVAL;
    return false;
  }
  return done && (!own || !lchown(target, BUILD_UID, BUILD_GID));
}

static _Noreturn void copy_outputs(void) {
  DIR *store = opendir(STORE);
  bool done = store != NULL;
  make_directories(RESULT, 0755);
  for (struct dirent *entry; done && (entry = readdir(store));) {
    if (*entry->d_name == '.' || strings_have(&input_names, entry->d_name)) continue;
    char *from = format_text(STORE "/%s", entry->d_name), *to = format_text(RESULT "/%s", entry->d_name);
    done = copy_tree(from, to, false);
    if (!done) complain("%s: %s", entry->d_name, strerror(errno));
    free(from);
    free(to);
  }
  int host = open("/host", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!done || syncfs(host) < 0) _exit(errno ? errno : EIO);
  _exit(0);
}

static void clean_up(void) {
  umount2(ROOT, MNT_DETACH);
  rmdir(CGROUP);
}

static void builder_ended(Stream *stream) {
  if (WIFSIGNALED(stream->status) || WEXITSTATUS(stream->status)) {
    clean_up();
    if (WIFSIGNALED(stream->status)) {
      stream_exit(stream, "signal", WTERMSIG(stream->status));
    } else {
      stream_exit(stream, "exit", WEXITSTATUS(stream->status));
    }
    return;
  }
  copying = stream;
  copier = fork();
  if (copier == 0) copy_outputs();
}

bool builder_child(pid_t pid, int status) {
  if (!copying || pid != copier) return false;
  Stream *stream = copying;
  copying = NULL;
  clean_up();
  if (status == 0) {
    stream_exit(stream, "exit", 0);
  } else {
    stream_exit(stream, "error", WIFEXITED(status) ? WEXITSTATUS(status) : EIO);
  }
  return true;
}

static void limit_memory(const char *limit) {
  if (mkdir(CGROUP, 0755) < 0 && errno != EEXIST) complain(CGROUP ": %s", strerror(errno));
  bool limited = strcmp(limit, "0") != 0;
  if (!write_file(CGROUP "/memory.max", limited ? limit : "max", 0644)) complain(CGROUP ": %s", strerror(errno));
}

static void remember_inputs(const Build *build) {
  strings_free(&input_names);
  for (size_t i = 0; i < build->inputs.count; i++) strings_add(&input_names, base_name(build->inputs.items[i]));
}

/* The builder starts as PID 1 of new namespaces; -1 with errno. */
static pid_t start(const Build *build, const char *terminal) {
  long flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
  pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
  if (pid == 0) {
    write_file(CGROUP "/cgroup.procs", "0", 0644);
    run_builder(build, terminal);
  }
  return pid;
}

void builder_start(uint32_t id, const Strings *request) {
  Build build = {0};
  if (copying) {
    errno = EBUSY;
    fail(id, "another build is being collected");
    return;
  }
  if (request->count) boot_set_clock(request->items[0]);
  /* The host has laid out other files since the last build: forget all that was read of them. */
  const char *problem = boot_remount_host();
  char *terminal = NULL;
  int master = -1;
  pid_t pid = -1;
  if (problem) {
    fail(id, "mounting the host's file system");
  } else if (!read_specification(&build, request)) {
    fail(id, "reading the build's specification");
  } else if (!make_root() || !make_mount_points(&build) || !fill_build_directory()) {
    fail(id, "making the sandbox");
  } else if ((master = terminal_open(&terminal)) < 0) {
    fail(id, "opening a terminal");
  } else {
    limit_memory(build.memory);
    remember_inputs(&build);
    if ((pid = start(&build, terminal)) < 0) fail(id, "starting the builder");
  }
  if (pid < 0) {
    clean_up();
    if (master >= 0) close(master);
  } else {
    stream_open(id, pid, -1, master, -1)->on_end = builder_ended;
  }
  free(terminal);
  strings_free(&build.inputs);
  strings_free(&build.argv);
  strings_free(&build.environment);
}
