/* Small helpers shared by every part: memory that never fails softly, text, files, time. */
#ifndef UTIL_H
#define UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define SECOND_US INT64_C(1000000)

/* A growable byte string. `data` is always followed by a NUL that `length` does not count, so text can be read in place. */
typedef struct {
  char *data;
  size_t length, room;
} Bytes;

void bytes_add(Bytes *bytes, const void *data, size_t length);
void bytes_text(Bytes *bytes, const char *text);
void bytes_format(Bytes *bytes, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops the first `length` bytes. */
void bytes_drop(Bytes *bytes, size_t length);
void bytes_free(Bytes *bytes);

/* A growable list of owned strings; `items` is always followed by a NULL that `count` does not count, as execve wants. */
typedef struct {
  char **items;
  size_t count, room;
} Strings;

void strings_add(Strings *list, const char *text);
void strings_take(Strings *list, char *owned);
void strings_format(Strings *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool strings_have(const Strings *list, const char *text);
/* Adds unless it is there; true when it was added. */
bool strings_unique(Strings *list, const char *text);
void strings_remove(Strings *list, const char *text);
/* Words separated by any of `separators`; empty ones are left out. */
void strings_split(Strings *list, const char *text, const char *separators);
void strings_sort(Strings *list);
char *strings_join(const Strings *list, const char *separator);
void strings_free(Strings *list);

/* Ends the program when there is no memory: a PID 1 that goes on without is worse. */
void *allocate(size_t size);
void *reallocate(void *pointer, size_t size);
char *copy_text(const char *text);
char *copy_span(const char *text, size_t length);
char *format_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

bool starts_with(const char *text, const char *prefix);
bool ends_with(const char *text, const char *suffix);
/* Cuts white space off both ends, in place. */
char *trim(char *text);
/* The part of a path after its last slash. */
const char *base_name(const char *path);

/* The whole file, NUL-ended; NULL with errno on failure. */
char *read_file(const char *path, size_t *length);
/* False with errno on failure. */
bool write_file(const char *path, const char *text, mode_t mode);
bool write_all(int fd, const void *data, size_t length);
/* Makes a directory and its parents; existing ones are fine. */
bool make_directories(const char *path, mode_t mode);
/* Where a symbolic link points, NULL when it is none. */
char *read_link(const char *path);
/* Makes or replaces the link `path` by rename, so that nobody sees it missing. */
bool replace_link(const char *target, const char *path);
bool is_directory(const char *path);
bool path_exists(const char *path);
/* Removes a tree without following links. */
void remove_tree(const char *path);

/* Microseconds: since boot, and since 1970. */
int64_t monotonic_us(void);
int64_t realtime_us(void);

/* A message to standard error, prefixed by the program's name. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the program calls itself in messages. */
extern const char *program_name;

#endif
