/* Small helpers shared by every part; see util.h. */
#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *program_name = "terrarium-init";

void *reallocate(void *pointer, size_t size) {
  void *result = realloc(pointer, size);
  if (!result && size) die("out of memory");
  return result;
}

void *allocate(size_t size) {
  return memset(reallocate(NULL, size), 0, size);
}

char *copy_span(const char *text, size_t length) {
  char *copy = reallocate(NULL, length + 1);
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

char *copy_text(const char *text) {
  return copy_span(text, strlen(text));
}

static char *format_arguments(const char *format, va_list arguments) {
  char *text;
  if (vasprintf(&text, format, arguments) < 0) die("out of memory");
  return text;
}

char *format_text(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = format_arguments(format, arguments);
  va_end(arguments);
  return text;
}

void bytes_add(Bytes *bytes, const void *data, size_t length) {
  if (bytes->length + length + 1 > bytes->room) {
    bytes->room = (bytes->length + length + 1) * 2;
    bytes->data = reallocate(bytes->data, bytes->room);
  }
  if (length) memcpy(bytes->data + bytes->length, data, length);
  bytes->length += length;
  bytes->data[bytes->length] = 0;
}

void bytes_text(Bytes *bytes, const char *text) {
  bytes_add(bytes, text, strlen(text));
}

void bytes_format(Bytes *bytes, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text = format_arguments(format, arguments);
  va_end(arguments);
  bytes_text(bytes, text);
  free(text);
}

void bytes_drop(Bytes *bytes, size_t length) {
  if (!length) return;
  memmove(bytes->data, bytes->data + length, bytes->length - length + 1);
  bytes->length -= length;
}

void bytes_free(Bytes *bytes) {
  free(bytes->data);
  *bytes = (Bytes){0};
}

void strings_take(Strings *list, char *owned) {
  if (list->count + 2 > list->room) {
    list->room = list->room * 2 + 8;
    list->items = reallocate(list->items, list->room * sizeof *list->items);
  }
  list->items[list->count++] = owned;
  list->items[list->count] = NULL;
}

void strings_add(Strings *list, const char *text) {
  strings_take(list, copy_text(text));
}

void strings_format(Strings *list, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  strings_take(list, format_arguments(format, arguments));
  va_end(arguments);
}

static size_t strings_index(const Strings *list, const char *text) {
  for (size_t i = 0; i < list->count; i++)
    if (!strcmp(list->items[i], text)) return i;
  return SIZE_MAX;
}

bool strings_have(const Strings *list, const char *text) {
  return strings_index(list, text) != SIZE_MAX;
}

bool strings_unique(Strings *list, const char *text) {
  if (strings_have(list, text)) return false;
  strings_add(list, text);
  return true;
}

void strings_remove(Strings *list, const char *text) {
  size_t index = strings_index(list, text);
  if (index == SIZE_MAX) return;
  free(list->items[index]);
  memmove(list->items + index, list->items + index + 1, (list->count - index) * sizeof *list->items);
  list->count--;
}

void strings_split(Strings *list, const char *text, const char *separators) {
  while (*(text += strspn(text, separators))) {
    size_t length = strcspn(text, separators);
    strings_take(list, copy_span(text, length));
    text += length;
  }
}

static int compare_texts(const void *left, const void *right) {
  return strcmp(*(char *const *)left, *(char *const *)right);
}

void strings_sort(Strings *list) {
  if (list->count) qsort(list->items, list->count, sizeof *list->items, compare_texts);
}

char *strings_join(const Strings *list, const char *separator) {
  Bytes text = {0};
  bytes_text(&text, "");
  for (size_t i = 0; i < list->count; i++) {
    if (i) bytes_text(&text, separator);
    bytes_text(&text, list->items[i]);
  }
  return text.data;
}

void strings_free(Strings *list) {
  for (size_t i = 0; i < list->count; i++) free(list->items[i]);
  free(list->items);
  *list = (Strings){0};
}

bool starts_with(const char *text, const char *prefix) {
  return !strncmp(text, prefix, strlen(prefix));
}

bool ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), tail = strlen(suffix);
  return length >= tail && !strcmp(text + length - tail, suffix);
}

char *trim(char *text) {
  text += strspn(text, " \t\r\n");
  size_t length = strlen(text);
  while (length && strchr(" \t\r\n", text[length - 1])) length--;
  text[length] = 0;
  return text;
}

const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

char *read_file(const char *path, size_t *length) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return NULL;
  Bytes content = {0};
  bytes_text(&content, "");
  char chunk[8192];
  ssize_t count;
  while ((count = read(fd, chunk, sizeof chunk)) > 0) bytes_add(&content, chunk, count);
  int error = errno;
  close(fd);
  if (count < 0) {
    bytes_free(&content);
    errno = error;
    return NULL;
  }
  if (length) *length = content.length;
  return content.data;
}

bool write_all(int fd, const void *data, size_t length) {
  const char *rest = data;
  while (length) {
    ssize_t count = write(fd, rest, length);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    rest += count;
    length -= count;
  }
  return true;
}

bool write_file(const char *path, const char *text, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) return false;
  bool done = write_all(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return done;
}

bool make_directories(const char *path, mode_t mode) {
  if (!mkdir(path, mode) || (errno == EEXIST && is_directory(path))) return true;
  if (errno != ENOENT) return false;
  char *parent = copy_text(path);
  char *slash = strrchr(parent, '/');
  bool done = false;
  if (slash && slash != parent) {
    *slash = 0;
    done = make_directories(parent, 0755) && (!mkdir(path, mode) || errno == EEXIST);
  }
  free(parent);
  return done;
}

char *read_link(const char *path) {
  char target[4096];
  ssize_t length = readlink(path, target, sizeof target - 1);
  return length < 0 ? NULL : copy_span(target, length);
}

bool replace_link(const char *target, const char *path) {
  char *fresh = format_text("%s.new-%d", path, (int)getpid());
  unlink(fresh);
  bool done = !symlink(target, fresh) && !rename(fresh, path);
  int error = errno;
  if (!done) unlink(fresh);
  free(fresh);
  errno = error;
  return done;
}

bool is_directory(const char *path) {
  struct stat status;
  return !stat(path, &status) && S_ISDIR(status.st_mode);
}

bool path_exists(const char *path) {
  struct stat status;
  return !lstat(path, &status);
}

void remove_tree(const char *path) {
  if (!unlink(path) || (errno != EISDIR && errno != EPERM)) return;
  DIR *directory = opendir(path);
  if (!directory) return;
  for (struct dirent *entry; (entry = readdir(directory));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    char *child = format_text("%s/%s", path, entry->d_name);
    remove_tree(child);
    free(child);
  }
  closedir(directory);
  rmdir(path);
}

static int64_t clock_us(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return time.tv_sec * SECOND_US + time.tv_nsec / 1000;
}

int64_t monotonic_us(void) {
  return clock_us(CLOCK_MONOTONIC);
}

int64_t realtime_us(void) {
  return clock_us(CLOCK_REALTIME);
}

static void complain_arguments(const char *format, va_list arguments) {
  fprintf(stderr, "%s: ", program_name);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
}

void complain(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  complain_arguments(format, arguments);
  va_end(arguments);
}

void die(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  complain_arguments(format, arguments);
  va_end(arguments);
  exit(1);
}
