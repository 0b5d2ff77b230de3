/*
 * Unit files as text: sections, keys, values, in the order of the files (the unit's own, then its drop-ins). An empty value clears what came
 * before for the keys that are lists, as in systemd; the readers below see to that.
 */
#ifndef UNIT_FILE_H
#define UNIT_FILE_H

#include "util.h"

typedef struct {
  char *section, *key, *value;
} Setting;

typedef struct {
  Setting *items;
  size_t count;
  /* The files read, for `systemctl cat` and `status`. */
  Strings files;
} UnitFile;

/* How well a key is known. */
typedef enum { KEY_SUPPORTED, KEY_NOT_ENFORCED, KEY_UNKNOWN } KeySupport;

/* Adds a file's settings; false with errno when it cannot be read. */
bool unit_file_read(UnitFile *file, const char *path);
void unit_file_free(UnitFile *file);

/* The last value of a key; NULL when there is none or it was cleared. */
const char *unit_file_get(const UnitFile *file, const char *section, const char *key);
bool unit_file_bool(const UnitFile *file, const char *section, const char *key, bool absent);
/* Microseconds; -1 for infinity. */
int64_t unit_file_span(const UnitFile *file, const char *section, const char *key, int64_t absent);
/* Every value of a list key since it was last cleared. The strings are borrowed from the file: free only `items`. */
Strings unit_file_all(const UnitFile *file, const char *section, const char *key);
/* The same, split into words; owned strings. */
void unit_file_words(const UnitFile *file, const char *section, const char *key, Strings *words);

KeySupport key_support(const char *section, const char *key);
/* `1`, `yes`, `true`, `on`. */
bool parse_bool(const char *text);
/* `5min 20s`, `100ms`, `infinity` (-1), a bare number of seconds; false when it is none of these. */
bool parse_span(const char *text, int64_t *microseconds);
/* `1min 30s`, as systemd writes it. Owned. */
char *format_span(int64_t microseconds);

#endif
