/* Unit files as text; see unit-file.h. */
#include "unit-file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void add_setting(UnitFile *file, const char *section, char *key, char *value) {
  file->items = reallocate(file->items, (file->count + 1) * sizeof *file->items);
  file->items[file->count++] = (Setting){copy_text(section), copy_text(trim(key)), copy_text(trim(value))};
}

static void take_line(UnitFile *file, char **section, char *line) {
  line = trim(line);
  size_t length = strlen(line);
  if (!length || *line == '#' || *line == ';') return;
  if (*line == '[' && line[length - 1] == ']') {
    free(*section);
    *section = copy_span(line + 1, length - 2);
    return;
  }
  char *equals = strchr(line, '=');
  if (!equals) return;
  *equals = 0;
  add_setting(file, *section, line, equals + 1);
}

/* Joins lines that end with a backslash (comments between them are left out) and takes each. */
static void take_text(UnitFile *file, char *text) {
  char *section = copy_text("");
  Bytes joined = {0};
  for (char *line = text, *next; line; line = next) {
    next = strchr(line, '\n');
    if (next) *next++ = 0;
    if (joined.length && (*trim(line) == '#' || *trim(line) == ';')) continue;
    size_t length = strlen(line);
    bool more = length && line[length - 1] == '\\';
    bytes_add(&joined, line, more ? length - 1 : length);
    if (more && next) {
      bytes_text(&joined, " ");
      continue;
    }
    take_line(file, &section, joined.data);
    joined.length = 0;
    if (joined.data) *joined.data = 0;
  }
  bytes_free(&joined);
  free(section);
}

bool unit_file_read(UnitFile *file, const char *path) {
  char *text = read_file(path, NULL);
  if (!text) return false;
  take_text(file, text);
  strings_add(&file->files, path);
  free(text);
  return true;
}

void unit_file_free(UnitFile *file) {
  for (size_t i = 0; i < file->count; i++) {
    free(file->items[i].section);
    free(file->items[i].key);
    free(file->items[i].value);
  }
  free(file->items);
  strings_free(&file->files);
  *file = (UnitFile){0};
}

static bool is_setting(const Setting *setting, const char *section, const char *key) {
  return !strcmp(setting->key, key) && !strcmp(setting->section, section);
}

const char *unit_file_get(const UnitFile *file, const char *section, const char *key) {
  for (size_t i = file->count; i-- > 0;)
    if (is_setting(&file->items[i], section, key)) return *file->items[i].value ? file->items[i].value : NULL;
  return NULL;
}

bool parse_bool(const char *text) {
  return !strcasecmp(text, "yes") || !strcasecmp(text, "true") || !strcasecmp(text, "on") || !strcmp(text, "1");
}

bool unit_file_bool(const UnitFile *file, const char *section, const char *key, bool absent) {
  const char *value = unit_file_get(file, section, key);
  return value ? parse_bool(value) : absent;
}

int64_t unit_file_span(const UnitFile *file, const char *section, const char *key, int64_t absent) {
  const char *value = unit_file_get(file, section, key);
  int64_t span;
  return value && parse_span(value, &span) ? span : absent;
}

Strings unit_file_all(const UnitFile *file, const char *section, const char *key) {
  Strings values = {0};
  for (size_t i = 0; i < file->count; i++) {
    if (!is_setting(&file->items[i], section, key)) continue;
    if (*file->items[i].value) {
      strings_take(&values, file->items[i].value);
    } else {
      values.count = 0;
    }
  }
  return values;
}

void unit_file_words(const UnitFile *file, const char *section, const char *key, Strings *words) {
  Strings values = unit_file_all(file, section, key);
  for (size_t i = 0; i < values.count; i++) strings_split(words, values.items[i], " \t");
  free(values.items);
}

static const struct {
  const char *name;
  int64_t microseconds;
} span_units[] = {
    {"usec", 1},
    {"us", 1},
    {"msec", 1000},
    {"ms", 1000},
    {"seconds", SECOND_US},
    {"second", SECOND_US},
    {"sec", SECOND_US},
    {"s", SECOND_US},
    {"minutes", 60 * SECOND_US},
    {"minute", 60 * SECOND_US},
    {"min", 60 * SECOND_US},
    {"m", 60 * SECOND_US},
    {"hours", 3600 * SECOND_US},
    {"hour", 3600 * SECOND_US},
    {"hr", 3600 * SECOND_US},
    {"h", 3600 * SECOND_US},
    {"days", 86400 * SECOND_US},
    {"day", 86400 * SECOND_US},
    {"d", 86400 * SECOND_US},
    {"weeks", 7 * 86400 * SECOND_US},
    {"week", 7 * 86400 * SECOND_US},
    {"w", 7 * 86400 * SECOND_US},
    {"months", 2629800 * SECOND_US},
    {"month", 2629800 * SECOND_US},
    {"M", 2629800 * SECOND_US},
    {"years", 31557600 * SECOND_US},
    {"year", 31557600 * SECOND_US},
    {"y", 31557600 * SECOND_US},
};

static bool span_unit(const char *name, size_t length, int64_t *microseconds) {
  *microseconds = SECOND_US;
  if (!length) return true;
  for (size_t i = 0; i < COUNT_OF(span_units); i++)
    if (strlen(span_units[i].name) == length && !strncmp(span_units[i].name, name, length)) {
      *microseconds = span_units[i].microseconds;
      return true;
    }
  return false;
}

bool parse_span(const char *text, int64_t *microseconds) {
  text += strspn(text, " ");
  *microseconds = -1;
  if (!strcmp(text, "infinity")) return true;
  double total = 0;
  if (!*text) return false;
  while (*text) {
    char *end;
    double number = strtod(text, &end);
    if (end == text || number < 0) return false;
    end += strspn(end, " ");
    size_t length = strspn(end, "abcdefghijklmnopqrstuvwxyzM");
    int64_t unit;
    if (!span_unit(end, length, &unit)) return false;
    total += number * (double)unit;
    text = end + length + strspn(end + length, " ");
  }
  *microseconds = (int64_t)total;
  return true;
}

char *format_span(int64_t microseconds) {
  static const struct {
    const char *name;
    int64_t size;
  } parts[] = {{"y", 31557600 * SECOND_US}, {"month", 2629800 * SECOND_US}, {"w", 604800 * SECOND_US}, {"d", 86400 * SECOND_US},
               {"h", 3600 * SECOND_US},     {"min", 60 * SECOND_US},       {"s", SECOND_US},          {"ms", 1000}};
  if (microseconds < 0) return copy_text("infinity");
  Bytes text = {0};
  bytes_text(&text, "");
  int shown = 0;
  for (size_t i = 0; i < COUNT_OF(parts) && shown < 2; i++) {
    int64_t count = microseconds / parts[i].size;
    if (!count || (!strcmp(parts[i].name, "ms") && shown)) continue;
    bytes_format(&text, "%s%lld%s", shown++ ? " " : "", (long long)count, parts[i].name);
    microseconds %= parts[i].size;
  }
  if (!text.length) bytes_text(&text, "0");
  return text.data;
}
