/* The journal; see journal.h. */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "host-link.h"

#define PERSISTENT "/var/log/journal"
#define VOLATILE "/run/log/journal"
#define NAME "/system.log"

/* When the current file is larger it becomes the older one: at most twice this is kept. */
enum { ROTATE_SIZE = 1 << 20 };

static Bytes unwritten;

char *journal_path(void) {
  return copy_text(path_exists(PERSISTENT NAME) || !path_exists(VOLATILE NAME) ? PERSISTENT NAME : VOLATILE NAME);
}

const char *boot_id(void) {
  static char id[33];
  if (*id) return id;
  char *text = read_file("/proc/sys/kernel/random/boot_id", NULL);
  size_t length = 0;
  for (const char *place = text; place && *place && length < 32; place++)
    if (*place != '-' && *place != '\n') id[length++] = *place;
  free(text);
  return id;
}

static char *clean(const char *text) {
  char *copy = copy_text(text);
  for (char *place = copy; *place; place++)
    if (*place == '\n' || *place == '\t') *place = ' ';
  return copy;
}

void journal_write(const char *unit, const char *identifier, long pid, int priority, const char *text) {
  char *line = clean(text);
  bytes_format(&unwritten, "%lld\t%.8s\t%d\t%s\t%s\t%ld\t%s\n", (long long)realtime_us(), boot_id(), priority, unit, identifier, pid, line);
  char number[8];
  number[0] = (char)('0' + priority);
  number[1] = 0;
  /* The host has the kernel's own words from the serial line. */
  if (strcmp(unit, "kernel")) host_log(unit, number, line);
  free(line);
}

void journal_format(const char *unit, int priority, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  char *text;
  if (vasprintf(&text, format, arguments) < 0) die("out of memory");
  va_end(arguments);
  journal_write(unit, "systemd", 1, priority, text);
  free(text);
}

/* The file written to; -1 when there is none. Kept open: each opening costs messages to the host. */
static int journal_fd = -1;

static void close_journal(void) {
  if (journal_fd >= 0) close(journal_fd);
  journal_fd = -1;
}

static bool open_journal(const char *directory, const char *file) {
  if (make_directories(directory, 0755)) journal_fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  return journal_fd >= 0;
}

/* Closes a file that has grown too large or was removed, so that the next one is opened. */
static void rotate(void) {
  struct stat status;
  if (journal_fd < 0 || fstat(journal_fd, &status) < 0) return;
  if (status.st_nlink && status.st_size <= ROTATE_SIZE) return;
  close_journal();
  if (!status.st_nlink) return;
  char *path = journal_path(), *older = format_text("%s.1", path);
  rename(path, older);
  free(path);
  free(older);
}

static bool write_journal(void) {
  return journal_fd >= 0 && write_all(journal_fd, unwritten.data, unwritten.length);
}

void journal_flush(void) {
  if (!unwritten.length) return;
  rotate();
  if (journal_fd < 0) open_journal(PERSISTENT, PERSISTENT NAME);
  if (!write_journal()) {
    close_journal();
    if (open_journal(VOLATILE, VOLATILE NAME)) write_journal();
  }
  unwritten.length = 0;
}

bool journal_parse(char *line, Entry *entry) {
  char *fields[7];
  for (size_t i = 0; i < COUNT_OF(fields); i++) {
    fields[i] = line;
    if (i == COUNT_OF(fields) - 1) break;
    line = strchr(line, '\t');
    if (!line) return false;
    *line++ = 0;
  }
  *entry = (Entry){.time = strtoll(fields[0], NULL, 10), .boot = fields[1], .priority = atoi(fields[2]), .unit = fields[3],
                   .identifier = fields[4], .pid = atol(fields[5]), .text = fields[6]};
  return true;
}

static bool read_entries(const char *path, bool (*function)(void *, const Entry *), void *owner) {
  char *text = read_file(path, NULL), *rest = text;
  bool more = true;
  while (more && rest && *rest) {
    char *line = strsep(&rest, "\n");
    Entry entry;
    if (journal_parse(line, &entry)) more = function(owner, &entry);
  }
  free(text);
  return more;
}

void journal_read(bool (*function)(void *, const Entry *), void *owner) {
  char *path = journal_path(), *older = format_text("%s.1", path);
  if (read_entries(older, function, owner)) read_entries(path, function, owner);
  free(path);
  free(older);
}

void journal_print(Bytes *out, const Entry *entry) {
  time_t seconds = (time_t)(entry->time / SECOND_US);
  struct tm moment;
  char stamp[32];
  localtime_r(&seconds, &moment);
  strftime(stamp, sizeof stamp, "%b %d %H:%M:%S", &moment);
  struct utsname names;
  uname(&names);
  bytes_format(out, "%s %s %s", stamp, names.nodename, entry->identifier);
  if (entry->pid) bytes_format(out, "[%ld]", entry->pid);
  bytes_format(out, ": %s\n", entry->text);
}

typedef struct {
  const char *unit;
  Strings lines;
} Tail;

static bool take_tail(void *owner, const Entry *entry) {
  Tail *tail = owner;
  if (strcmp(entry->unit, tail->unit) || strncmp(entry->boot, boot_id(), 8)) return true;
  Bytes line = {0};
  journal_print(&line, entry);
  strings_take(&tail->lines, line.data);
  return true;
}

void journal_tail(Bytes *out, const char *unit, size_t count) {
  journal_flush();
  Tail tail = {.unit = unit};
  journal_read(take_tail, &tail);
  for (size_t i = tail.lines.count > count ? tail.lines.count - count : 0; i < tail.lines.count; i++) bytes_text(out, tail.lines.items[i]);
  strings_free(&tail.lines);
}
