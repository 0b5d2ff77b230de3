/* Conditions of unit files; see condition.h. */
#include "condition.h"

#include <dirent.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static bool exists(const char *path) {
  struct stat status;
  return !stat(path, &status);
}

static bool is_link(const char *path) {
  struct stat status;
  return !lstat(path, &status) && S_ISLNK(status.st_mode);
}

static bool directory_not_empty(const char *path) {
  DIR *entries = opendir(path);
  int count = 0;
  while (entries && count < 3 && readdir(entries)) count++;
  if (entries) closedir(entries);
  return count > 2;
}

static bool file_not_empty(const char *path) {
  struct stat status;
  return !stat(path, &status) && S_ISREG(status.st_mode) && status.st_size > 0;
}

static bool is_executable(const char *path) {
  return !access(path, X_OK) && !is_directory(path);
}

static bool matches_glob(const char *pattern) {
  glob_t found;
  bool any = !glob(pattern, 0, NULL, &found);
  if (any) globfree(&found);
  return any;
}

static bool is_virtual(const char *value) {
  return !strcmp(value, "vm") || parse_bool(value);
}

static bool on_command_line(const char *value) {
  char *text = read_file("/proc/cmdline", NULL);
  Strings parts = {0};
  strings_split(&parts, text ? text : "", " \n");
  bool found = false;
  for (size_t i = 0; i < parts.count && !found; i++)
    found = !strcmp(parts.items[i], value) || (!strchr(value, '=') && starts_with(parts.items[i], value) && parts.items[i][strlen(value)] == '=');
  strings_free(&parts);
  free(text);
  return found;
}

static bool is_host(const char *value) {
  struct utsname names;
  uname(&names);
  return !strcmp(names.nodename, value);
}

static bool is_user(const char *value) {
  return !strcmp(value, "root") || !strcmp(value, "0") || !strcmp(value, "@system");
}

static bool is_first_boot(const char *value) {
  return !parse_bool(value);
}

static bool on_mains(const char *value) {
  return parse_bool(value);
}

static const struct {
  const char *key;
  bool (*holds)(const char *value);
} checks[] = {{"ConditionPathExists", exists},
              {"ConditionPathExistsGlob", matches_glob},
              {"ConditionPathIsDirectory", is_directory},
              {"ConditionPathIsSymbolicLink", is_link},
              {"ConditionDirectoryNotEmpty", directory_not_empty},
              {"ConditionFileNotEmpty", file_not_empty},
              {"ConditionFileIsExecutable", is_executable},
              {"ConditionVirtualization", is_virtual},
              {"ConditionKernelCommandLine", on_command_line},
              {"ConditionHost", is_host},
              {"ConditionUser", is_user},
              {"ConditionFirstBoot", is_first_boot},
              {"ConditionACPower", on_mains}};

/* `|` marks alternatives of which one is enough, `!` turns the sense round. */
static bool holds(bool (*check)(const char *), const char *value) {
  bool negated = *value == '!';
  return check(value + negated) != negated;
}

char *condition_unmet(const Unit *unit) {
  bool alternatives = false, any = false;
  char *unmet = NULL;
  for (size_t i = 0; i < unit->file.count; i++) {
    const Setting *setting = &unit->file.items[i];
    for (size_t j = 0; j < COUNT_OF(checks) && *setting->value; j++) {
      if (strcmp(setting->key, checks[j].key)) continue;
      bool alternative = *setting->value == '|', met = holds(checks[j].holds, setting->value + alternative);
      alternatives |= alternative;
      any |= alternative && met;
      if (met || alternative) continue;
      free(unmet);
      return format_text("%s=%s", setting->key, setting->value);
    }
  }
  if (alternatives && !any) unmet = copy_text("no alternative condition holds");
  return unmet;
}
