/*
 * systemd-switch OLD NEW ACTION: what `switch-to-configuration` does on NixOS, with its rules and its words (APPLETS.md). The decision (which
 * units stop, start, restart, reload, stay) is made once, before anything changes, from the units that are active and the two trees of unit files.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets.h"
#include "systemctl.h"
#include "unit-file.h"
#include "util.h"

#define UNITS "etc/systemd/system"

typedef enum { UNITS_EQUAL, UNITS_NEED_RELOAD, UNITS_NEED_RESTART } Comparison;

/* The unit files of one generation: where they lie and their names, read once. A unit that has no file is then no question to the host. */
typedef struct {
  char *directory;
  Strings names;
} Tree;

typedef struct {
  const char *new;
  Tree old_units, new_units;
  /* Units to stop, start, restart and reload; those that changed and are left alone; targets that are started only to pull in what is new. */
  Strings stop, start, restart, reload, skip, quiet;
} Plan;

/* ---- the unit files of one generation ---- */

static Tree open_tree(const char *system) {
  char *path = format_text("%s/" UNITS, system), real[PATH_MAX];
  Tree tree = {.directory = copy_text(realpath(path, real) ? real : path)};
  DIR *entries = opendir(tree.directory);
  for (struct dirent *entry; entries && (entry = readdir(entries));) strings_add(&tree.names, entry->d_name);
  if (entries) closedir(entries);
  free(path);
  return tree;
}

static char *unit_path(const Tree *tree, const char *name) {
  return format_text("%s/%s", tree->directory, name);
}

/* A unit that is masked, a link to /dev/null, counts as none. */
static bool read_file_of(UnitFile *file, const Tree *tree, const char *name) {
  if (!strings_have(&tree->names, name)) return false;
  char *path = unit_path(tree, name);
  struct stat status;
  bool found = !stat(path, &status) && S_ISREG(status.st_mode) && unit_file_read(file, path);
  free(path);
  return found;
}

static bool read_unit(UnitFile *file, const Tree *tree, const char *name) {
  bool found = read_file_of(file, tree, name);
  char *folder = format_text("%s.d", name), *drop_ins = unit_path(tree, folder);
  Strings names = {0};
  DIR *entries = strings_have(&tree->names, folder) ? opendir(drop_ins) : NULL;
  for (struct dirent *entry; entries && (entry = readdir(entries));)
    if (ends_with(entry->d_name, ".conf")) strings_format(&names, "%s/%s", drop_ins, entry->d_name);
  if (entries) closedir(entries);
  strings_sort(&names);
  for (size_t i = 0; i < names.count; i++) found |= unit_file_read(file, names.items[i]);
  strings_free(&names);
  free(drop_ins);
  free(folder);
  return found;
}

/* The file an instance comes from: its own, or its template's. Owned. */
static char *file_name(const Tree *tree, const char *name) {
  bool own = strings_have(&tree->names, name);
  const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
  if (own || !at || !dot || dot == at + 1) return copy_text(name);
  return format_text("%.*s%s", (int)(at - name + 1), name, dot);
}

/* ---- comparing ---- */

/* Keys whose change changes nothing that runs. */
static bool is_cosmetic(const char *key) {
  static const char *const keys[] = {"Description", "Documentation", "OnFailure", "OnSuccess", "OnFailureJobMode", "IgnoreOnIsolate", "StopWhenUnneeded", "RefuseManualStart", "RefuseManualStop", "AllowIsolate", "CollectMode", "SourcePath"};
  for (size_t i = 0; i < COUNT_OF(keys); i++)
    if (!strcmp(keys[i], key)) return true;
  return false;
}

static Comparison weight_of(const Setting *setting) {
  if (!strcmp(setting->section, "Install")) return UNITS_EQUAL;
  if (!strcmp(setting->section, "Unit")) {
    if (!strcmp(setting->key, "X-Reload-Triggers")) return UNITS_NEED_RELOAD;
    if (is_cosmetic(setting->key)) return UNITS_EQUAL;
  }
  if (!strcmp(setting->section, "Mount") && !strcmp(setting->key, "Options")) return UNITS_NEED_RELOAD;
  return UNITS_NEED_RESTART;
}

static bool same_key(const Setting *left, const Setting *right) {
  return !strcmp(left->section, right->section) && !strcmp(left->key, right->key);
}

/* The values of a key, in order, each ended by a newline. */
static char *values_of(const UnitFile *file, const Setting *like) {
  Bytes values = {0};
  bytes_text(&values, "");
  for (size_t i = 0; i < file->count; i++)
    if (same_key(&file->items[i], like)) bytes_format(&values, "%s\n", file->items[i].value);
  return values.data;
}

static Comparison compare_one_way(const UnitFile *left, const UnitFile *right) {
  Comparison worst = UNITS_EQUAL;
  for (size_t i = 0; i < left->count; i++) {
    Comparison weight = weight_of(&left->items[i]);
    if (weight <= worst) continue;
    char *here = values_of(left, &left->items[i]), *there = values_of(right, &left->items[i]);
    if (strcmp(here, there)) worst = weight;
    free(here);
    free(there);
  }
  return worst;
}

static Comparison compare_units(const UnitFile *left, const UnitFile *right) {
  Comparison forth = compare_one_way(left, right), back = compare_one_way(right, left);
  return forth > back ? forth : back;
}

/* ---- deciding ---- */

static bool flag(const UnitFile *file, const char *key, bool absent) {
  return unit_file_bool(file, "Unit", key, unit_file_bool(file, "Service", key, absent));
}

/* A running unit whose file differs in something that matters. */
static void decide_changed(Plan *plan, const char *name, const UnitFile *new) {
  static const char *const left_alone[] = {"sysinit.target", "basic.target", "multi-user.target", "graphical.target"};
  for (size_t i = 0; i < COUNT_OF(left_alone); i++)
    if (!strcmp(name, left_alone[i])) return;
  if (ends_with(name, ".unit") || ends_with(name, ".slice") || ends_with(name, ".path")) return;
  if (ends_with(name, ".mount")) {
    strings_unique(&plan->reload, name);
  } else if (flag(new, "X-ReloadIfChanged", false)) {
    strings_unique(&plan->reload, name);
  } else if (!flag(new, "X-RestartIfChanged", true) || flag(new, "RefuseManualStop", false) || flag(new, "X-OnlyManualStart", false)) {
    strings_unique(&plan->skip, name);
  } else if (!flag(new, "X-StopIfChanged", true) || !ends_with(name, ".service")) {
    /* Stopping and starting in two steps is for services; they stop under the old configuration. */
    strings_unique(&plan->restart, name);
  } else {
    strings_unique(&plan->stop, name);
    strings_unique(&plan->start, name);
  }
}

static void decide_target(Plan *plan, const char *name, const UnitFile *new) {
  /* Starting a target again starts what it wants by now; that needs no mention. */
  if (!flag(new, "RefuseManualStart", false) && !flag(new, "X-OnlyManualStart", false) && strings_unique(&plan->start, name)) strings_unique(&plan->quiet, name);
  if (flag(new, "X-StopOnReconfiguration", false)) strings_unique(&plan->stop, name);
}

static void decide(Plan *plan, const char *name) {
  UnitFile old = {0}, new = {0};
  char *old_name = file_name(&plan->old_units, name), *new_name = file_name(&plan->new_units, name);
  bool was = read_unit(&old, &plan->old_units, old_name), is = read_unit(&new, &plan->new_units, new_name);
  if (ends_with(name, ".target") && (is || !was)) {
    decide_target(plan, name, &new);
  } else if (was && !is) {
    if (flag(&old, "X-StopOnRemoval", true)) strings_unique(&plan->stop, name);
  } else if (was && is) {
    Comparison comparison = compare_units(&old, &new);
    if (comparison == UNITS_NEED_RESTART) decide_changed(plan, name, &new);
    if (comparison == UNITS_NEED_RELOAD && !strings_have(&plan->restart, name)) strings_unique(&plan->reload, name);
  }
  unit_file_free(&old);
  unit_file_free(&new);
  free(old_name);
  free(new_name);
}

/* Names of the units that are up, or on the way; `_states` prints `NAME ACTIVE SUB` lines. */
static void read_states(Strings *names, const char *wanted) {
  Bytes text = {0};
  Strings lines = {0};
  systemctl_words(&text, NULL, "_states", NULL);
  strings_split(&lines, text.data ? text.data : "", "\n");
  for (size_t i = 0; i < lines.count; i++) {
    Strings fields = {0};
    strings_split(&fields, lines.items[i], " ");
    bool failed = fields.count > 2 && (!strcmp(fields.items[1], "failed") || !strcmp(fields.items[2], "auto-restart"));
    bool up = fields.count > 2 && (!strcmp(fields.items[1], "active") || !strcmp(fields.items[1], "activating") || !strcmp(fields.items[1], "reloading"));
    if (!strcmp(wanted, "failed") ? failed : up) strings_add(names, fields.items[0]);
    strings_free(&fields);
  }
  strings_sort(names);
  strings_free(&lines);
  bytes_free(&text);
}

static void make_plan(Plan *plan, const char *old, const char *new) {
  *plan = (Plan){.new = new, .old_units = open_tree(old), .new_units = open_tree(new)};
  Strings active = {0};
  read_states(&active, "up");
  for (size_t i = 0; i < active.count; i++) decide(plan, active.items[i]);
  strings_free(&active);
}

/* ---- doing ---- */

static void step(const char *name, const char *text) {
  char *argv[] = {"terrarium-step", (char *)name, (char *)text, NULL};
  fflush(stdout);
  step_main(3, argv);
}

/* The units of a list that people want to hear about, sorted and joined; NULL when there is none. Owned. */
static char *mention(const Plan *plan, const Strings *list) {
  Strings shown = {0};
  for (size_t i = 0; i < list->count; i++)
    if (!strings_have(&plan->quiet, list->items[i])) strings_add(&shown, list->items[i]);
  strings_sort(&shown);
  char *text = shown.count ? strings_join(&shown, ", ") : NULL;
  strings_free(&shown);
  return text;
}

static void print_list(const char *sentence, char *list) {
  if (!list) return;
  fprintf(stderr, "%s: %s\n", sentence, list);
  free(list);
}

static void command(const char *verb, const Strings *names) {
  if (!names->count) return;
  Strings words = {0};
  Bytes ignored = {0};
  strings_add(&words, verb);
  for (size_t i = 0; i < names->count; i++) strings_add(&words, names->items[i]);
  /* What failed is found and told at the end. */
  systemctl_call(&words, NULL, &ignored);
  if (ignored.length) fputs(ignored.data, stderr);
  bytes_free(&ignored);
  strings_free(&words);
}

static int run_script(const char *system, const char *name) {
  char *path = format_text("%s/%s", system, name);
  fflush(stdout);
  pid_t pid = fork();
  if (pid == 0) {
    char *argv[] = {path, NULL};
    execv(path, argv);
    complain("%s: %s", path, strerror(errno));
    _exit(127);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  free(path);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static int dry_activate(const Plan *plan) {
  print_list("would stop the following units", mention(plan, &plan->stop));
  print_list("would NOT restart the following changed units", mention(plan, &plan->skip));
  fprintf(stderr, "would activate the configuration...\n");
  char *script = format_text("%s/dry-activate", plan->new);
  if (path_exists(script)) run_script(plan->new, "dry-activate");
  free(script);
  print_list("would reload the following units", mention(plan, &plan->reload));
  print_list("would restart the following units", mention(plan, &plan->restart));
  print_list("would start the following units", mention(plan, &plan->start));
  return 0;
}

static void reset_failed(void) {
  Bytes ignored = {0};
  systemctl_words(NULL, &ignored, "reset-failed", NULL);
  systemctl_words(NULL, &ignored, "daemon-reload", NULL);
  bytes_free(&ignored);
}

/* True when there are any that people hear about. */
static bool print_new_units(const Plan *plan, const Strings *before) {
  Strings after = {0}, fresh = {0};
  read_states(&after, "up");
  for (size_t i = 0; i < after.count; i++) {
    const char *name = after.items[i];
    if (!strings_have(before, name) && !strings_have(&plan->start, name) && !strings_have(&plan->restart, name)) strings_add(&fresh, name);
  }
  char *list = mention(plan, &fresh);
  bool any = list;
  print_list("the following new units were started", list);
  strings_free(&after);
  strings_free(&fresh);
  return any;
}

/* A service that dies as soon as it runs counts as started for a moment: it is given this long to show. */
enum { SETTLE_US = 250000 };

/* 4 when a unit failed, as on NixOS. `started`: services were started just now. */
static int report_failures(bool started) {
  Strings failed = {0};
  if (started) usleep(SETTLE_US);
  read_states(&failed, "failed");
  if (!failed.count) return 0;
  print_list("warning: the following units failed", strings_join(&failed, ", "));
  for (size_t i = 0; i < failed.count; i++) {
    Bytes text = {0};
    systemctl_words(&text, &text, "status", "--full", failed.items[i], NULL);
    fprintf(stderr, "%s%s", i ? "\n" : "", text.data ? text.data : "");
    bytes_free(&text);
  }
  strings_free(&failed);
  return 4;
}

static int activate(const Plan *plan, const char *action) {
  Strings before = {0};
  read_states(&before, "up");
  step("stop-units", "stopping units that changed");
  print_list("stopping the following units", mention(plan, &plan->stop));
  command("stop", &plan->stop);
  print_list("NOT restarting the following changed units", mention(plan, &plan->skip));
  fprintf(stderr, "activating the configuration...\n");
  setenv("NIXOS_ACTION", action, 1);
  int status = run_script(plan->new, "activate") ? 2 : 0;
  step("reload", "reading the new units");
  reset_failed();
  print_list("reloading the following units", mention(plan, &plan->reload));
  command("reload", &plan->reload);
  step("start-units", "starting units");
  print_list("restarting the following units", mention(plan, &plan->restart));
  command("restart", &plan->restart);
  char *starting = mention(plan, &plan->start);
  bool started = starting || plan->restart.count || plan->reload.count;
  print_list("starting the following units", starting);
  command("start", &plan->start);
  started |= print_new_units(plan, &before);
  int failed = report_failures(started);
  strings_free(&before);
  step("done", "");
  return failed ? failed : status;
}

static void print_plan(const Plan *plan) {
  const struct {
    const char *word;
    const Strings *list;
  } lists[] = {{"stop", &plan->stop}, {"start", &plan->start}, {"restart", &plan->restart}, {"reload", &plan->reload}, {"skip", &plan->skip}};
  for (size_t i = 0; i < COUNT_OF(lists); i++)
    for (size_t j = 0; j < lists[i].list->count; j++)
      if (!strings_have(&plan->quiet, lists[i].list->items[j])) printf("%s %s\n", lists[i].word, lists[i].list->items[j]);
}

int switch_main(int argc, char **argv) {
  if (argc != 4) die("usage: systemd-switch OLD NEW switch|test|dry-activate, or systemd-switch --plan OLD NEW");
  Plan plan;
  if (!strcmp(argv[1], "--plan")) {
    make_plan(&plan, argv[2], argv[3]);
    print_plan(&plan);
    return 0;
  }
  make_plan(&plan, argv[1], argv[2]);
  if (!strcmp(argv[3], "dry-activate")) return dry_activate(&plan);
  if (strcmp(argv[3], "switch") && strcmp(argv[3], "test")) die("unknown action '%s'", argv[3]);
  return activate(&plan, argv[3]);
}
