/*
 * The journal: one text file, a line an entry, under /var/log/journal (or /run/log/journal while /var takes no writes). Fields
 * are separated by tabs: microseconds since 1970, boot ID, priority (0 worst … 7 debug), unit, identifier, process ID, message.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "util.h"

enum { PRIORITY_ERROR = 3, PRIORITY_WARNING = 4, PRIORITY_NOTICE = 5, PRIORITY_INFO = 6, PRIORITY_DEBUG = 7 };

typedef struct {
  int64_t time;
  int priority;
  long pid;
  char *boot, *unit, *identifier, *text;
} Entry;

/* ---- the supervisor's side ---- */

/* Writes one entry, tells the host, and keeps it in memory until journal_flush. */
void journal_write(const char *unit, const char *identifier, long pid, int priority, const char *text);
void journal_format(const char *unit, int priority, const char *format, ...) __attribute__((format(printf, 3, 4)));
void journal_flush(void);

/* ---- the readers' side ---- */

/* Calls `function` for each entry of the older file and the current one; it may return false to stop. The entry is borrowed. */
void journal_read(bool (*function)(void *owner, const Entry *entry), void *owner);
/* Takes one line apart in place; false when it is none. */
bool journal_parse(char *line, Entry *entry);
/* The current file's path. Owned. */
char *journal_path(void);
/* `Nov 22 19:38:56 nixos name[12]: text` with a newline. */
void journal_print(Bytes *out, const Entry *entry);
/* This boot's ID: 32 hexadecimal digits. */
const char *boot_id(void);
/* The last `count` entries of one unit in this boot, printed. */
void journal_tail(Bytes *out, const char *unit, size_t count);

#endif
