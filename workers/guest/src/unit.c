/* Units as the supervisor knows them; see unit.h. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "command-line.h"
#include "journal.h"

Unit *units;

const char *const load_names[] = {"loaded", "not-found", "masked", "bad-setting"};
const char *const active_names[] = {"inactive", "activating", "active", "reloading", "deactivating", "failed"};
const char *const dependency_names[DEP_COUNT] = {"Requires", "Requisite", "Wants", "BindsTo", "PartOf", "Upholds", "Conflicts", "Before", "After", "OnFailure", "OnSuccess", "Triggers"};
const char *const unit_directories[] = {"/etc/systemd/system", "/run/systemd/system", NULL};

/* Targets that exist without a file, with systemd's descriptions and what they pull in there. */
static const struct {
  const char *name, *description, *requires, *wants, *after;
} builtin_targets[] = {
    {"sysinit.target", "System Initialization", "", "local-fs.target swap.target", "local-fs.target swap.target"},
    {"basic.target", "Basic System", "sysinit.target", "sockets.target timers.target paths.target slices.target", "sysinit.target sockets.target paths.target slices.target"},
    {"local-fs.target", "Local File Systems", "", "", ""},
    {"remote-fs.target", "Remote File Systems", "", "", ""},
    {"network-pre.target", "Preparation for Network", "", "", ""},
    {"network.target", "Network", "", "", ""},
    {"network-online.target", "Network is Online", "", "", "network.target"},
    {"nss-lookup.target", "Host and Network Name Lookups", "", "", ""},
    {"nss-user-lookup.target", "User and Group Name Lookups", "", "", ""},
    {"time-sync.target", "System Time Synchronized", "", "", ""},
    {"sockets.target", "Socket Units", "", "", ""},
    {"timers.target", "Timer Units", "", "", ""},
    {"paths.target", "Path Units", "", "", ""},
    {"slices.target", "Slice Units", "", "", ""},
    {"swap.target", "Swaps", "", "", ""},
    {"getty.target", "Login Prompts", "", "", ""},
    {"multi-user.target", "Multi-User System", "basic.target", "getty.target", "basic.target"},
    {"graphical.target", "Graphical Interface", "multi-user.target", "", "multi-user.target"},
    {"shutdown.target", "System Shutdown", "", "", ""},
    {"poweroff.target", "System Power Off", "", "", ""},
    {"reboot.target", "System Reboot", "", "", ""},
    {"final.target", "Late Shutdown Services", "", "", ""},
};

static const struct {
  const char *suffix;
  UnitKind kind;
} suffixes[] = {{".service", UNIT_SERVICE}, {".target", UNIT_TARGET}, {".timer", UNIT_TIMER}, {".socket", UNIT_SOCKET}, {".path", UNIT_OTHER},
                {".mount", UNIT_OTHER},     {".slice", UNIT_OTHER},   {".swap", UNIT_OTHER},   {".device", UNIT_OTHER},  {".scope", UNIT_OTHER}, {".automount", UNIT_OTHER}};

static const char *suffix_of(const char *name, UnitKind *kind) {
  for (size_t i = 0; i < COUNT_OF(suffixes); i++)
    if (ends_with(name, suffixes[i].suffix)) {
      *kind = suffixes[i].kind;
      return suffixes[i].suffix;
    }
  return NULL;
}

bool unit_name_valid(const char *name) {
  UnitKind kind;
  return suffix_of(name, &kind) && !strchr(name, '/') && *name != '.';
}

char *unit_full_name(const char *name) {
  UnitKind kind;
  return suffix_of(name, &kind) ? copy_text(name) : format_text("%s.service", name);
}

Unit *unit_known(const char *name) {
  for (Unit *unit = units; unit; unit = unit->next)
    if (!strcmp(unit->name, name)) return unit;
  return NULL;
}

/* `foo@bar.service` → `foo@.service`; NULL when it is no instance. Owned. */
static char *template_name(const char *name) {
  const char *at = strchr(name, '@'), *dot = strrchr(name, '.');
  if (!at || !dot || dot <= at + 1) return NULL;
  return format_text("%.*s%s", (int)(at - name + 1), name, dot);
}

/* What each of the unit directories holds. Read once a round of the main loop: a unit has a handful of files it may have and mostly has not, and
   each that is looked for would be some questions to the host. */
static Strings listings[COUNT_OF(unit_directories)];
static bool listed;

static bool is_listed(size_t directory, const char *name) {
  for (size_t i = 0; !listed && unit_directories[i]; i++) {
    DIR *entries = opendir(unit_directories[i]);
    for (struct dirent *entry; entries && (entry = readdir(entries));) strings_add(&listings[i], entry->d_name);
    if (entries) closedir(entries);
  }
  listed = true;
  return strings_have(&listings[directory], name);
}

void units_forget_listing(void) {
  for (size_t i = 0; i < COUNT_OF(listings); i++) strings_free(&listings[i]);
  listed = false;
}

static char *find_named(const char *name) {
  for (size_t i = 0; unit_directories[i]; i++) {
    if (!is_listed(i, name)) continue;
    char *path = format_text("%s/%s", unit_directories[i], name);
    if (path_exists(path)) return path;
    free(path);
  }
  return NULL;
}

static char *find_file(const char *name) {
  char *path = find_named(name), *template = path ? NULL : template_name(name);
  if (template) path = find_named(template);
  free(template);
  return path;
}

/* ---- specifiers ---- */

static const char *instance_of(const Unit *unit, size_t *length) {
  const char *at = strchr(unit->name, '@'), *dot = strrchr(unit->name, '.');
  *length = at && dot > at ? (size_t)(dot - at - 1) : 0;
  return *length ? at + 1 : "";
}

static void add_specifier(Bytes *out, const Unit *unit, char specifier) {
  struct utsname names;
  size_t length, stem = strrchr(unit->name, '.') ? (size_t)(strrchr(unit->name, '.') - unit->name) : strlen(unit->name);
  const char *instance = instance_of(unit, &length), *user = unit_file_get(&unit->file, "Service", "User");
  switch (specifier) {
    case 'n': bytes_text(out, unit->name); break;
    case 'N': bytes_add(out, unit->name, stem); break;
    case 'p':
    case 'P': bytes_add(out, unit->name, length ? (size_t)(instance - unit->name - 1) : stem); break;
    case 'i': bytes_add(out, instance, length); break;
    case 'I':
      for (size_t i = 0; i < length; i++) bytes_add(out, instance[i] == '-' ? "/" : instance + i, 1);
      break;
    case 'j': {
      const char *dash = memrchr(unit->name, '-', stem);
      bytes_add(out, dash ? dash + 1 : unit->name, dash ? stem - (size_t)(dash + 1 - unit->name) : stem);
      break;
    }
    case 't': bytes_text(out, "/run"); break;
    case 'S': bytes_text(out, "/var/lib"); break;
    case 'C': bytes_text(out, "/var/cache"); break;
    case 'L': bytes_text(out, "/var/log"); break;
    case 'E': bytes_text(out, "/etc"); break;
    case 'T': bytes_text(out, "/tmp"); break;
    case 'V': bytes_text(out, "/var/tmp"); break;
    case 'h': bytes_text(out, "/root"); break;
    case 'u': bytes_text(out, user ? user : "root"); break;
    case 'U': bytes_text(out, "0"); break;
    case 'b': bytes_text(out, boot_id()); break;
    case 'H':
    case 'l':
      uname(&names);
      bytes_text(out, names.nodename);
      break;
    case 'm': {
      char *id = read_file("/etc/machine-id", NULL);
      bytes_text(out, id ? trim(id) : "");
      free(id);
      break;
    }
    case '%': bytes_text(out, "%"); break;
    default: bytes_format(out, "%%%c", specifier);
  }
}

char *unit_expand(const Unit *unit, const char *text) {
  Bytes out = {0};
  bytes_text(&out, "");
  for (; *text; text++) {
    if (text[0] == '%' && text[1]) {
      add_specifier(&out, unit, *++text);
    } else {
      bytes_add(&out, text, 1);
    }
  }
  return out.data;
}

/* ---- loading ---- */

static void read_drop_ins(Unit *unit, const char *name) {
  Strings paths = {0};
  char *folder = format_text("%s.d", name);
  for (size_t i = 0; unit_directories[i]; i++) {
    if (!is_listed(i, folder)) continue;
    char *directory = format_text("%s/%s", unit_directories[i], folder);
    DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
      if (ends_with(entry->d_name, ".conf")) strings_format(&paths, "%s/%s", directory, entry->d_name);
    if (entries) closedir(entries);
    free(directory);
  }
  free(folder);
  strings_sort(&paths);
  for (size_t i = 0; i < paths.count; i++) unit_file_read(&unit->file, paths.items[i]);
  strings_free(&paths);
}

static void read_links(Unit *unit, const char *suffix, Dependency kind) {
  char *folder = format_text("%s.%s", unit->name, suffix);
  for (size_t i = 0; unit_directories[i]; i++) {
    if (!is_listed(i, folder)) continue;
    char *directory = format_text("%s/%s", unit_directories[i], folder);
    DIR *entries = opendir(directory);
    for (struct dirent *entry; entries && (entry = readdir(entries));)
      if (unit_name_valid(entry->d_name)) strings_unique(&unit->dependencies[kind], entry->d_name);
    if (entries) closedir(entries);
    free(directory);
  }
  free(folder);
}

static void expand_settings(Unit *unit) {
  for (size_t i = 0; i < unit->file.count; i++) {
    Setting *setting = &unit->file.items[i];
    if (!strchr(setting->value, '%')) continue;
    char *expanded = unit_expand(unit, setting->value);
    free(setting->value);
    setting->value = expanded;
  }
}

static void read_dependencies(Unit *unit) {
  for (int kind = 0; kind < DEP_TRIGGERS; kind++) unit_file_words(&unit->file, "Unit", dependency_names[kind], &unit->dependencies[kind]);
  read_links(unit, "wants", DEP_WANTS);
  read_links(unit, "requires", DEP_REQUIRES);
  read_links(unit, "upholds", DEP_UPHOLDS);
}

static char *triggered_name(const Unit *unit) {
  const char *named = unit->kind == UNIT_TIMER ? unit_file_get(&unit->file, "Timer", "Unit") : unit_file_get(&unit->file, "Socket", "Service");
  if (named) return copy_text(named);
  return format_text("%.*s.service", (int)(strrchr(unit->name, '.') - unit->name), unit->name);
}

static void add_dependency(Unit *unit, Dependency kind, const char *name) {
  if (strcmp(unit->name, name)) strings_unique(&unit->dependencies[kind], name);
}

static void default_dependencies(Unit *unit) {
  bool defaults = unit_file_bool(&unit->file, "Unit", "DefaultDependencies", true);
  Strings *lists = unit->dependencies;
  if (unit->kind == UNIT_TIMER || unit->kind == UNIT_SOCKET) {
    char *name = triggered_name(unit);
    add_dependency(unit, DEP_TRIGGERS, name);
    add_dependency(unit, DEP_BEFORE, name);
    free(name);
  }
  if (!defaults || unit->load != LOAD_LOADED) return;
  if (unit->kind == UNIT_TARGET) {
    Dependency pulled[] = {DEP_WANTS, DEP_REQUIRES, DEP_BINDS_TO, DEP_UPHOLDS};
    for (size_t i = 0; i < COUNT_OF(pulled); i++)
      for (size_t j = 0; j < lists[pulled[i]].count; j++) {
        /* systemd adds no such order when the unit is itself ordered after the target. */
        if (!strings_have(&lists[DEP_BEFORE], lists[pulled[i]].items[j])) add_dependency(unit, DEP_AFTER, lists[pulled[i]].items[j]);
      }
  } else {
    add_dependency(unit, DEP_REQUIRES, "sysinit.target");
    add_dependency(unit, DEP_AFTER, "sysinit.target");
    if (unit->kind == UNIT_SERVICE) add_dependency(unit, DEP_AFTER, "basic.target");
    if (unit->kind == UNIT_TIMER) add_dependency(unit, DEP_BEFORE, "timers.target");
    if (unit->kind == UNIT_SOCKET) add_dependency(unit, DEP_BEFORE, "sockets.target");
  }
  if (strcmp(unit->name, "shutdown.target")) {
    add_dependency(unit, DEP_CONFLICTS, "shutdown.target");
    add_dependency(unit, DEP_BEFORE, "shutdown.target");
  }
}

static void bad_setting(Unit *unit, const char *format, const char *detail) {
  unit->load = LOAD_BAD;
  free(unit->problem);
  unit->problem = format_text(format, detail);
  journal_format(unit->name, PRIORITY_ERROR, "%s: %s Refusing.", unit->name, unit->problem);
}

static void check_keys(Unit *unit) {
  for (size_t i = 0; i < unit->file.count; i++) {
    const Setting *setting = &unit->file.items[i];
    switch (key_support(setting->section, setting->key)) {
      case KEY_SUPPORTED: break;
      case KEY_NOT_ENFORCED: journal_format(unit->name, PRIORITY_WARNING, "%s: %s= is accepted but not enforced by this supervisor.", unit->name, setting->key); break;
      case KEY_UNKNOWN: journal_format(unit->name, PRIORITY_WARNING, "%s: Unknown key '%s' in section [%s], ignoring.", unit->name, setting->key, setting->section); break;
    }
  }
}

static void check_service(Unit *unit) {
  static const char *const lists[] = {"ExecStart", "ExecStartPre", "ExecStartPost", "ExecCondition", "ExecReload", "ExecStop", "ExecStopPost"};
  static const char *const types[] = {"simple", "exec", "oneshot", "forking", "notify", "notify-reload", "idle", "dbus"};
  const char *type = unit_file_get(&unit->file, "Service", "Type"), *problem;
  bool known = !type;
  for (size_t i = 0; i < COUNT_OF(types) && !known; i++) known = !strcmp(type, types[i]);
  if (!known) bad_setting(unit, "Unknown service type '%s'.", type);
  size_t starts = 0;
  for (size_t i = 0; i < COUNT_OF(lists); i++) {
    Strings lines = unit_file_all(&unit->file, "Service", lists[i]);
    for (size_t j = 0; j < lines.count; j++) {
      CommandLine command;
      if (!parse_command_line(lines.items[j], &command, &problem)) bad_setting(unit, "Invalid command line: %s.", lines.items[j]);
      command_line_free(&command);
    }
    if (i == 0) starts = lines.count;
    free(lines.items);
  }
  bool oneshot = type && !strcmp(type, "oneshot");
  Strings stops = unit_file_all(&unit->file, "Service", "ExecStop");
  if (!starts && !(oneshot || stops.count)) bad_setting(unit, "%s", "Service has no ExecStart=, ExecStop=, or SuccessAction=.");
  if (starts > 1 && !oneshot) bad_setting(unit, "%s", "Service has more than one ExecStart= setting, which is only allowed for Type=oneshot services.");
  free(stops.items);
}

static void load_builtin(Unit *unit) {
  for (size_t i = 0; i < COUNT_OF(builtin_targets); i++)
    if (!strcmp(unit->name, builtin_targets[i].name)) {
      unit->load = LOAD_LOADED;
      strings_split(&unit->dependencies[DEP_REQUIRES], builtin_targets[i].requires, " ");
      strings_split(&unit->dependencies[DEP_WANTS], builtin_targets[i].wants, " ");
      strings_split(&unit->dependencies[DEP_AFTER], builtin_targets[i].after, " ");
    }
}

static void load(Unit *unit) {
  unit_file_free(&unit->file);
  for (int kind = 0; kind < DEP_COUNT; kind++) strings_free(&unit->dependencies[kind]);
  unit->load = LOAD_NOT_FOUND;
  load_builtin(unit);
  char *path = find_file(unit->name), real[PATH_MAX];
  if (path && realpath(path, real)) {
    unit->load = !strcmp(real, "/dev/null") ? LOAD_MASKED : unit_file_read(&unit->file, path) ? LOAD_LOADED : LOAD_BAD;
  }
  free(path);
  read_drop_ins(unit, unit->name);
  expand_settings(unit);
  read_dependencies(unit);
  if (unit->load == LOAD_LOADED && unit->kind == UNIT_SERVICE) check_service(unit);
  default_dependencies(unit);
  check_keys(unit);
}

/* The name behind a link inside the unit directories (`default.target` → `multi-user.target`). Owned; NULL when it is no alias. */
static char *alias_target(const char *name) {
  char *path = find_named(name), real[PATH_MAX];
  const char *target = path && realpath(path, real) ? base_name(real) : NULL;
  const char *dot = strrchr(name, '.');
  bool alias = target && strcmp(target, name) && dot && ends_with(target, dot) && strcmp(real, "/dev/null");
  char *template = alias ? template_name(name) : NULL;
  if (template && !strcmp(template, target)) alias = false;
  free(template);
  /* A file of any other name behind the link (a store path's) is simply where the unit lies. */
  char *elsewhere = alias ? find_named(target) : NULL;
  alias = elsewhere != NULL;
  free(elsewhere);
  free(path);
  return alias ? copy_text(target) : NULL;
}

static Unit *new_unit(const char *name) {
  Unit *unit = allocate(sizeof *unit);
  *unit = (Unit){.next = units, .name = copy_text(name), .kind = UNIT_OTHER, .sub = "dead", .result = "success"};
  suffix_of(name, &unit->kind);
  units = unit;
  load(unit);
  return unit;
}

Unit *unit_get(const char *name) {
  Unit *known = unit_known(name);
  if (known) return known;
  char *target = alias_target(name);
  if (!target && !strcmp(name, "default.target")) target = copy_text("multi-user.target");
  Unit *unit = target ? unit_get(target) : new_unit(name);
  free(target);
  return unit;
}

void units_reload(void) {
  units_forget_listing();
  for (Unit *unit = units; unit; unit = unit->next) load(unit);
}

const char *unit_description(const Unit *unit) {
  const char *text = unit_file_get(&unit->file, "Unit", "Description");
  if (text) return text;
  for (size_t i = 0; i < COUNT_OF(builtin_targets); i++)
    if (!strcmp(unit->name, builtin_targets[i].name)) return builtin_targets[i].description;
  return unit->name;
}

bool unit_depends(const Unit *unit, Dependency kind, const Unit *on) {
  return strings_have(&unit->dependencies[kind], on->name);
}

bool unit_ordered(const Unit *earlier, const Unit *later) {
  return unit_depends(later, DEP_AFTER, earlier) || unit_depends(earlier, DEP_BEFORE, later);
}

bool unit_is_up(const Unit *unit) {
  return unit->active == STATE_ACTIVE || unit->active == STATE_RELOADING;
}
