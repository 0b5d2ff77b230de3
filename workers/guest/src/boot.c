/* Stage 1 and the way into stage 2; see boot.h. */
#include "boot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "agent.h"
#include "loop.h"
#include "profile.h"

#define NEW_ROOT "/newroot"
#define HOST_OPTIONS "trans=virtio,version=9p2000.L,cache=loose,msize=524288"

typedef struct {
  const char *source, *target, *type;
  unsigned long flags;
  const char *options;
} Mount;

static const Mount kernel_mounts[] = {
    {"proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL},
    {"devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"},
    {"devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "mode=0620,gid=3,ptmxmode=0666"},
    {"tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
    {"tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755"},
    {"tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777"},
    {"cgroup2", "/sys/fs/cgroup", "cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC, "nsdelegate"},
};

static const struct {
  const char *path, *text;
} kernel_settings[] = {
    /* A closed tab loses what has not reached the host: write after one second, not after five to thirty. */
    {"/proc/sys/vm/dirty_writeback_centisecs", "100"},
    {"/proc/sys/vm/dirty_expire_centisecs", "100"},
    {"/sys/fs/cgroup/cgroup.subtree_control", "+memory +pids +cpu"},
};

static void mount_kernel_file_systems(void) {
  for (size_t i = 0; i < COUNT_OF(kernel_mounts); i++) {
    const Mount *entry = &kernel_mounts[i];
    make_directories(entry->target, 0755);
    /* The kernel has mounted /dev itself when it found an initramfs with that directory. */
    if (mount(entry->source, entry->target, entry->type, entry->flags, entry->options) < 0 && errno != EBUSY)
      complain("%s: %s", entry->target, strerror(errno));
  }
  static const char *const links[][2] = {
      {"/proc/self/fd", "/dev/fd"}, {"/proc/self/fd/0", "/dev/stdin"}, {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"}};
  for (size_t i = 0; i < COUNT_OF(links); i++)
    if (symlink(links[i][0], links[i][1]) < 0 && errno != EEXIST) complain("%s: %s", links[i][1], strerror(errno));
}

static void raise_loopback(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (ioctl(fd, SIOCSIFFLAGS, &request) < 0) complain("lo: %s", strerror(errno));
  close(fd);
}

void boot_prepare(void) {
  umask(022);
  mount_kernel_file_systems();
  for (size_t i = 0; i < COUNT_OF(kernel_settings); i++)
    if (!write_file(kernel_settings[i].path, kernel_settings[i].text, 0644)) complain("%s: %s", kernel_settings[i].path, strerror(errno));
  raise_loopback();
}

static bool host_mounted;

const char *boot_mount_host(void) {
  if (host_mounted) return NULL;
  make_directories("/host", 0755);
  if (mount("host9p", "/host", "9p", MS_NOSUID | MS_NODEV, HOST_OPTIONS) < 0) return strerror(errno);
  host_mounted = true;
  return NULL;
}

const char *boot_remount_host(void) {
  if (host_mounted && umount2("/host", 0) < 0) return strerror(errno);
  host_mounted = false;
  return boot_mount_host();
}

void boot_set_clock(const char *seconds) {
  struct timeval time = {.tv_sec = strtoll(seconds, NULL, 10)};
  if (time.tv_sec > 0 && settimeofday(&time, NULL) < 0) complain("clock: %s", strerror(errno));
}

/* Every machine restored from one image has the same random state; the host's bytes make them differ. */
static void seed_random(const char *hexadecimal) {
  struct {
    int entropy_count, buffer_size;
    uint8_t buffer[64];
  } pool = {0};
  unsigned byte;
  while (pool.buffer_size < (int)sizeof pool.buffer && sscanf(hexadecimal, "%2x", &byte) == 1) {
    pool.buffer[pool.buffer_size++] = (uint8_t)byte;
    hexadecimal += 2;
    if (!*hexadecimal) break;
  }
  pool.entropy_count = pool.buffer_size * 8;
  int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
  if (ioctl(fd, RNDADDENTROPY, &pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0) complain("random: %s", strerror(errno));
  close(fd);
}

static void take_settings(const Strings *request) {
  boot_set_clock(request->items[0]);
  for (size_t i = 2; i < request->count; i++)
    if (starts_with(request->items[i], "seed=")) seed_random(request->items[i] + 5);
}

static bool bind_into_root(const char *source, const char *target, unsigned long flags) {
  char *place = format_text(NEW_ROOT "%s", target);
  make_directories(place, 0755);
  bool done = !mount(source, place, NULL, MS_BIND, NULL) &&
              (!flags || !mount(NULL, place, NULL, MS_BIND | MS_REMOUNT | flags, NULL));
  if (!done) complain("%s: %s", target, strerror(errno));
  free(place);
  return done;
}

static void make_root_directories(void) {
  static const char *const directories[] = {"bin", "dev", "etc", "home", "host", "lib", "nix/store", "nix/var/nix/profiles/per-user/root", "nix/var/nix/gcroots/auto",
                                            "nix/var/log/nix/drvs", "proc", "root", "run", "sys", "tmp", "usr/bin", "var"};
  for (size_t i = 0; i < COUNT_OF(directories); i++) {
    char *path = format_text(NEW_ROOT "/%s", directories[i]);
    make_directories(path, 0755);
    free(path);
  }
}

static void move_into_root(const char *path) {
  char *target = format_text(NEW_ROOT "%s", path);
  if (mount(path, target, NULL, MS_MOVE, NULL) < 0) complain("%s: %s", path, strerror(errno));
  free(target);
}

static bool make_root(void) {
  make_directories(NEW_ROOT, 0755);
  if (mount("tmpfs", NEW_ROOT, "tmpfs", 0, "mode=0755") < 0) return false;
  make_root_directories();
  bool store = bind_into_root("/host/store", "/nix/store", MS_RDONLY | MS_NOSUID | MS_NODEV);
  bind_into_root("/host/state/var", "/var", MS_NOSUID | MS_NODEV);
  bind_into_root("/host/state/home", "/home", MS_NOSUID | MS_NODEV);
  bind_into_root("/host/state/root", "/root", MS_NOSUID | MS_NODEV);
  bind_into_root("/host/state/etc-nixos", "/etc/nixos", MS_NOSUID | MS_NODEV);
  chmod(NEW_ROOT "/root", 0700);
  profile_write_all(NEW_ROOT);
  static const char *const moved[] = {"/host", "/proc", "/sys", "/dev", "/run", "/tmp"};
  for (size_t i = 0; i < COUNT_OF(moved); i++) move_into_root(moved[i]);
  return store && !chdir(NEW_ROOT) && !mount(".", "/", NULL, MS_MOVE, NULL) && !chroot(".") && !chdir("/");
}

static bool fail(const char *format, const char *detail) {
  char *text = format_text(format, detail);
  agent_boot_event("failed", text);
  free(text);
  return false;
}

bool boot_enter(const Strings *request) {
  if (request->count < 2) return fail("%s", "malformed BOOT");
  take_settings(request);
  agent_boot_event("clock", request->items[0]);
  const char *problem = boot_mount_host();
  if (problem) return fail("mounting the host's file system: %s", problem);
  agent_boot_event("mount", "/nix/store");
  if (!make_root()) return fail("making the root: %s", strerror(errno));
  char *init = format_text("%s/init", request->items[1]);
  bool found = !access(init, X_OK);
  free(init);
  return found || fail("the system has no init: %s", request->items[1]);
}

void boot_execute(const Strings *request) {
  char *init = format_text("%s/init", request->items[1]);
  Strings environment = {0};
  strings_add(&environment, "TERM=linux");
  strings_add(&environment, "HOME=/");
  for (size_t i = 2; i < request->count; i++)
    if (!starts_with(request->items[i], "seed=")) strings_add(&environment, request->items[i]);
  signals_reset();
  char *argv[] = {init, NULL};
  execve(init, argv, environment.items);
  complain("%s: %s", init, strerror(errno));
  for (;;) pause();
}
