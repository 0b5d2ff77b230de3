/*
 * setup-etc ETC: makes /etc show a generation's files, by NixOS's rules (APPLETS.md). /etc/static points to ETC; a file is a link through it, or a copy
 * when `NAME.mode` stands beside it. /etc/.clean lists the copies, so that the next generation can remove those it has no more.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applets.h"
#include "user.h"
#include "util.h"

#define STATIC "/etc/static"
#define CLEAN "/etc/.clean"

typedef struct {
  const char *tree;
  /* Copies made now, and those of the generation before. */
  Strings copied, old_copies;
  bool failed;
} Setup;

static void fail(Setup *setup, const char *path) {
  complain("%s: %s", path, strerror(errno));
  setup->failed = true;
}

static bool is_static_link(const char *path) {
  char *target = read_link(path);
  bool found = target && starts_with(target, STATIC "/");
  free(target);
  return found;
}

/* Whether the generation has the file that a link through /etc/static shows. Asked of its tree itself: each link on the way would be a question to the host. */
static bool is_in_tree(const Setup *setup, const char *link) {
  char *target = read_link(link), *file = format_text("%s%s", setup->tree, target + strlen(STATIC));
  struct stat status;
  bool found = !lstat(file, &status);
  free(file);
  free(target);
  return found;
}

/* Removes links into an earlier generation that lead nowhere now. */
static void remove_stale(const Setup *setup, const char *directory) {
  DIR *entries = opendir(directory);
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char *path = format_text("%s/%s", directory, entry->d_name);
    struct stat status;
    if (!strcmp(path, STATIC) || !strcmp(path, "/etc/nixos") || lstat(path, &status) < 0) {
      free(path);
      continue;
    }
    if (S_ISDIR(status.st_mode)) {
      remove_stale(setup, path);
      rmdir(path);
    } else if (S_ISLNK(status.st_mode) && is_static_link(path) && !is_in_tree(setup, path)) {
      printf("removing obsolete symlink '%s'...\n", path);
      unlink(path);
    }
    free(path);
  }
  if (entries) closedir(entries);
}

static char *read_word(const char *file, const char *suffix) {
  char *path = format_text("%s%s", file, suffix), *text = read_file(path, NULL);
  free(path);
  if (text) text[strcspn(text, "\n")] = 0;
  return text;
}

/* `+1000` or a name. */
static uid_t parse_owner(const char *text, bool group) {
  User user;
  gid_t gid;
  if (!text) return 0;
  if (*text == '+') return (uid_t)atol(text + 1);
  if (group && group_find(text, &gid)) return gid;
  if (!group && user_find(text, &user)) return user.uid;
  complain("no such %s: %s", group ? "group" : "user", text);
  return 0;
}

static void copy_file(Setup *setup, const char *source, const char *target, const char *mode) {
  char *fresh = format_text("%s.tmp", target), *user = read_word(source, ".uid"), *group = read_word(source, ".gid");
  size_t length;
  char *content = read_file(source, &length);
  unlink(fresh);
  int fd = content ? open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
  bool done = fd >= 0 && write_all(fd, content, length) && !fchown(fd, parse_owner(user, false), parse_owner(group, true)) && !fchmod(fd, (mode_t)strtol(mode, NULL, 8));
  if (fd >= 0) close(fd);
  if (!done || rename(fresh, target) < 0) fail(setup, target);
  strings_add(&setup->copied, target + strlen("/etc/"));
  free(content);
  free(fresh);
  free(user);
  free(group);
}

static void make_link(Setup *setup, const char *points_to, const char *path) {
  char *now = read_link(path);
  bool same = now && !strcmp(now, points_to);
  free(now);
  if (same) return;
  struct stat status;
  if (!lstat(path, &status) && S_ISDIR(status.st_mode)) {
    /* Only an empty directory may make way. */
    if (rmdir(path) < 0) {
      printf("warning: %s is a directory and cannot be replaced by a link\n", path);
      return;
    }
  }
  if (!replace_link(points_to, path)) fail(setup, path);
}

/* Whether `name` of a directory's names tells the owner or mode of another one. */
static bool is_metadata(const Strings *names, const char *name) {
  static const char *const suffixes[] = {".mode", ".uid", ".gid"};
  for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
    if (!ends_with(name, suffixes[i])) continue;
    char *owner = copy_span(name, strlen(name) - strlen(suffixes[i])), *mode = format_text("%s.mode", owner);
    bool found = strings_have(names, owner) && strings_have(names, mode);
    free(owner);
    free(mode);
    if (found) return true;
  }
  return false;
}

static void set_up_directory(Setup *setup, const char *relative);

/* `has_mode`: the entry is a copy, or a link of another kind. */
static void set_up_entry(Setup *setup, const char *relative, bool has_mode) {
  char *source = format_text("%s/%s", setup->tree, relative), *target = format_text("/etc/%s", relative);
  struct stat status;
  char *mode = has_mode ? read_word(source, ".mode") : NULL;
  if (lstat(source, &status) < 0) {
    fail(setup, source);
  } else if (S_ISDIR(status.st_mode)) {
    struct stat old;
    if (!lstat(target, &old) && !S_ISDIR(old.st_mode)) unlink(target);
    make_directories(target, 0755);
    set_up_directory(setup, relative);
  } else if (mode && strcmp(mode, "direct-symlink") && strcmp(mode, "symlink")) {
    copy_file(setup, source, target, mode);
  } else if (mode && !strcmp(mode, "direct-symlink")) {
    char *points_to = read_link(source);
    if (points_to) make_link(setup, points_to, target);
    free(points_to);
  } else {
    char *points_to = format_text(STATIC "/%s", relative);
    make_link(setup, points_to, target);
    free(points_to);
  }
  free(mode);
  free(source);
  free(target);
}

static void set_up_directory(Setup *setup, const char *relative) {
  char *path = *relative ? format_text("%s/%s", setup->tree, relative) : copy_text(setup->tree);
  DIR *entries = opendir(path);
  Strings names = {0};
  for (struct dirent *entry; entries && (entry = readdir(entries));)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) strings_add(&names, entry->d_name);
  if (entries) closedir(entries);
  strings_sort(&names);
  for (size_t i = 0; i < names.count; i++) {
    if (is_metadata(&names, names.items[i])) continue;
    char *child = *relative ? format_text("%s/%s", relative, names.items[i]) : copy_text(names.items[i]), *mode = format_text("%s.mode", names.items[i]);
    set_up_entry(setup, child, strings_have(&names, mode));
    free(child);
    free(mode);
  }
  strings_free(&names);
  free(path);
}

static void remove_old_copies(Setup *setup) {
  for (size_t i = 0; i < setup->old_copies.count; i++) {
    const char *name = setup->old_copies.items[i];
    if (strings_have(&setup->copied, name)) continue;
    char *path = format_text("/etc/%s", name);
    struct stat status;
    /* A link in its place is the new generation's own. */
    if (!lstat(path, &status) && !S_ISLNK(status.st_mode)) {
      printf("removing obsolete file '%s'...\n", path);
      unlink(path);
    }
    free(path);
  }
}

int setup_etc_main(int argc, char **argv) {
  if (argc != 2) die("usage: setup-etc ETC");
  Setup setup = {.tree = argv[1]};
  char *clean = read_file(CLEAN, NULL);
  strings_split(&setup.old_copies, clean ? clean : "", "\n");
  make_directories("/etc", 0755);
  if (!replace_link(argv[1], STATIC)) die(STATIC ": %s", strerror(errno));
  remove_stale(&setup, "/etc");
  set_up_directory(&setup, "");
  remove_old_copies(&setup);
  strings_sort(&setup.copied);
  char *list = strings_join(&setup.copied, "\n"), *text = format_text("%s%s", list, *list ? "\n" : "");
  if (!write_file(CLEAN, text, 0644) || !write_file("/etc/NIXOS", "", 0644)) fail(&setup, CLEAN);
  return setup.failed;
}
