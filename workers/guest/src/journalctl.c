/* journalctl: prints the journal's file (journal.h) by unit, boot, priority and time, and follows it. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "applets.h"
#include "journal.h"
#include "unit-file.h"

typedef enum { OUTPUT_SHORT, OUTPUT_CAT, OUTPUT_JSON } OutputMode;

typedef struct {
  Strings units, identifiers;
  const char *boot_argument, *pattern;
  bool this_boot, kernel, follow, reverse, list_boots, lines_given;
  size_t lines;
  int priority;
  int64_t since, until;
  OutputMode output;
  /* The boots met, oldest first. */
  Strings boots;
  char *boot;
  /* Matching lines, the last `lines` of them. */
  Strings matches;
} Query;

static bool wants(const Query *query, const Entry *entry) {
  if (query->units.count && !strings_have(&query->units, entry->unit)) return false;
  if (query->identifiers.count && !strings_have(&query->identifiers, entry->identifier)) return false;
  if (query->kernel && strcmp(entry->unit, "kernel")) return false;
  if (query->boot && strcmp(entry->boot, query->boot)) return false;
  if (entry->priority > query->priority || entry->time < query->since || entry->time > query->until) return false;
  return !query->pattern || strstr(entry->text, query->pattern);
}

static void print_json_text(Bytes *out, const char *text) {
  bytes_text(out, "\"");
  for (; *text; text++) {
    if (*text == '"' || *text == '\\') {
      bytes_format(out, "\\%c", *text);
    } else if ((unsigned char)*text < 32) {
      bytes_format(out, "\\u%04x", (unsigned)*text);
    } else {
      bytes_add(out, text, 1);
    }
  }
  bytes_text(out, "\"");
}

static void print_json(Bytes *out, const Entry *entry) {
  bytes_format(out, "{\"__REALTIME_TIMESTAMP\":\"%lld\",\"PRIORITY\":\"%d\",\"_PID\":\"%ld\",\"_SYSTEMD_UNIT\":", (long long)entry->time, entry->priority, entry->pid);
  print_json_text(out, entry->unit);
  bytes_text(out, ",\"SYSLOG_IDENTIFIER\":");
  print_json_text(out, entry->identifier);
  bytes_text(out, ",\"MESSAGE\":");
  print_json_text(out, entry->text);
  bytes_text(out, "}\n");
}

static void print_entry(const Query *query, Bytes *out, const Entry *entry) {
  switch (query->output) {
    case OUTPUT_SHORT: journal_print(out, entry); break;
    case OUTPUT_CAT: bytes_format(out, "%s\n", entry->text); break;
    case OUTPUT_JSON: print_json(out, entry); break;
  }
}

static bool note_boot(void *owner, const Entry *entry) {
  Query *query = owner;
  size_t count = query->boots.count;
  if (!count || strcmp(query->boots.items[count - 1], entry->boot)) strings_unique(&query->boots, entry->boot);
  return true;
}

static bool take_match(void *owner, const Entry *entry) {
  Query *query = owner;
  if (!wants(query, entry)) return true;
  Bytes line = {0};
  print_entry(query, &line, entry);
  strings_take(&query->matches, line.data);
  return true;
}

/* `-b`: this boot; `-b -1`: the one before; `-b 1`: the first; `-b ID`. False when there is none. */
static bool choose_boot(Query *query) {
  if (!query->this_boot) return true;
  const char *argument = query->boot_argument;
  char *end;
  long offset = argument ? strtol(argument, &end, 10) : 0;
  if (argument && *end) {
    query->boot = copy_span(argument, strlen(argument) < 8 ? strlen(argument) : 8);
    return true;
  }
  if (!offset) {
    query->boot = copy_span(boot_id(), 8);
    return true;
  }
  journal_read(note_boot, query);
  long index = offset > 0 ? offset - 1 : (long)query->boots.count - 1 + offset;
  if (index < 0 || index >= (long)query->boots.count) return false;
  query->boot = copy_text(query->boots.items[index]);
  return true;
}

static int list_boots(Query *query) {
  journal_read(note_boot, query);
  printf("IDX BOOT ID\n");
  for (size_t i = 0; i < query->boots.count; i++) printf("%3ld %s\n", (long)i - (long)query->boots.count + 1, query->boots.items[i]);
  return 0;
}

/* ---- options ---- */

static int parse_priority(const char *text) {
  static const char *const names[] = {"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"};
  for (int i = 0; i < 8; i++)
    if (!strcmp(text, names[i])) return i;
  return atoi(text);
}

/* `today`, `-5min`, `2026-11-22 19:38:56`, `19:38`; microseconds since 1970. */
static int64_t parse_moment(const char *text) {
  int64_t span;
  if (!strcmp(text, "now")) return realtime_us();
  if (*text == '-' && parse_span(text + 1, &span)) return realtime_us() - span;
  if (ends_with(text, " ago")) {
    char *amount = copy_span(text, strlen(text) - 4);
    bool parsed = parse_span(amount, &span);
    free(amount);
    if (parsed) return realtime_us() - span;
  }
  time_t now = time(NULL);
  struct tm moment;
  localtime_r(&now, &moment);
  moment.tm_hour = moment.tm_min = moment.tm_sec = 0;
  if (!strcmp(text, "yesterday")) moment.tm_mday--;
  int year, month, day, hour = 0, minute = 0, second = 0;
  int fields = sscanf(text, "%d-%d-%d %d:%d:%d", &year, &month, &day, &hour, &minute, &second);
  if (fields >= 3) {
    moment.tm_year = year - 1900;
    moment.tm_mon = month - 1;
    moment.tm_mday = day;
  } else if (sscanf(text, "%d:%d:%d", &hour, &minute, &second) < 2 && strcmp(text, "today") && strcmp(text, "yesterday")) {
    die("Failed to parse timestamp: %s", text);
  }
  moment.tm_hour = hour;
  moment.tm_min = minute;
  moment.tm_sec = second;
  moment.tm_isdst = -1;
  return (int64_t)mktime(&moment) * SECOND_US;
}

static void add_unit(Query *query, const char *name) {
  if (strchr(name, '.')) {
    strings_add(&query->units, name);
  } else {
    strings_format(&query->units, "%s.service", name);
  }
}

/* An option's value: the rest of its word, or the next one. */
static const char *value_of(char ***place, const char *rest) {
  if (*rest) return *rest == '=' ? rest + 1 : rest;
  if (!(*place)[1]) die("option requires an argument: %s", **place);
  return *++*place;
}

static void set_output(Query *query, const char *mode) {
  query->output = !strcmp(mode, "cat") ? OUTPUT_CAT : starts_with(mode, "json") ? OUTPUT_JSON : OUTPUT_SHORT;
}

static bool boot_value(const char *word) {
  return word && (*word != '-' || (word[1] >= '0' && word[1] <= '9'));
}

static void take_option(Query *query, char ***place);

/* One letter of a word like `-xeu`; false when it took the rest of the word as its value. */
static bool take_letter(Query *query, char ***place, const char *letter) {
  switch (*letter) {
    case 'u': add_unit(query, value_of(place, letter + 1)); return false;
    case 't': strings_add(&query->identifiers, value_of(place, letter + 1)); return false;
    case 'p': query->priority = parse_priority(value_of(place, letter + 1)); return false;
    case 'o': set_output(query, value_of(place, letter + 1)); return false;
    case 'g': query->pattern = value_of(place, letter + 1); return false;
    case 'S': query->since = parse_moment(value_of(place, letter + 1)); return false;
    case 'U': query->until = parse_moment(value_of(place, letter + 1)); return false;
    case 'n':
      query->lines_given = true;
      query->lines = strtoul(value_of(place, letter + 1), NULL, 10);
      return false;
    case 'b':
      query->this_boot = true;
      if (letter[1]) {
        query->boot_argument = letter + 1;
        return false;
      }
      if (boot_value((*place)[1])) query->boot_argument = *++*place;
      return true;
    case 'k': query->kernel = query->this_boot = true; return true;
    case 'f': query->follow = true; return true;
    case 'r': query->reverse = true; return true;
    case 'e':
      if (!query->lines_given) query->lines = 1000;
      return true;
    case 'x':
    case 'q':
    case 'a':
    case 'l': return true;
    default: die("invalid option -- '%c'", *letter);
  }
}

static void take_option(Query *query, char ***place) {
  static const struct {
    const char *name;
    const char *letter;
  } long_names[] = {{"--unit", "u"}, {"--identifier", "t"}, {"--priority", "p"}, {"--output", "o"}, {"--grep", "g"}, {"--since", "S"}, {"--until", "U"}, {"--lines", "n"}, {"--boot", "b"},
                    {"--dmesg", "k"}, {"--follow", "f"}, {"--reverse", "r"}, {"--pager-end", "e"}, {"--catalog", "x"}, {"--no-pager", "q"}, {"--quiet", "q"}, {"--no-hostname", "q"}, {"--full", "l"}, {"--all", "a"}, {"--no-full", "l"}};
  const char *word = **place;
  if (!strcmp(word, "--list-boots")) {
    query->list_boots = true;
    return;
  }
  for (size_t i = 0; i < COUNT_OF(long_names) && starts_with(word, "--"); i++) {
    size_t length = strlen(long_names[i].name);
    if (strncmp(word, long_names[i].name, length) || (word[length] && word[length] != '=')) continue;
    char *short_form = format_text("%s%s", long_names[i].letter, word[length] ? word + length + 1 : "");
    take_letter(query, place, short_form);
    return;
  }
  if (starts_with(word, "--")) die("unrecognized option '%s'", word);
  for (const char *letter = word + 1; *letter; letter++)
    if (!take_letter(query, place, letter)) return;
}

/* ---- following ---- */

typedef struct {
  FILE *file;
  ino_t inode;
} Follow;

static void open_follow(Follow *follow, bool at_end) {
  char *path = journal_path();
  struct stat status;
  if (follow->file) fclose(follow->file);
  follow->file = fopen(path, "re");
  if (follow->file && at_end) fseek(follow->file, 0, SEEK_END);
  follow->inode = stat(path, &status) ? 0 : status.st_ino;
  free(path);
}

static void print_new(const Query *query, Follow *follow, Bytes *partial) {
  char chunk[4096];
  size_t count;
  Bytes out = {0};
  while (follow->file && (count = fread(chunk, 1, sizeof chunk, follow->file)) > 0) bytes_add(partial, chunk, count);
  if (follow->file) clearerr(follow->file);
  for (char *end; partial->length && (end = memchr(partial->data, '\n', partial->length));) {
    size_t length = end - partial->data;
    Entry entry;
    *end = 0;
    if (journal_parse(partial->data, &entry) && wants(query, &entry)) print_entry(query, &out, &entry);
    bytes_drop(partial, length + 1);
  }
  if (out.length) write_all(1, out.data, out.length);
  bytes_free(&out);
}

static void follow_journal(const Query *query, Follow *follow) {
  Bytes partial = {0};
  char *path = journal_path(), *directory = copy_span(path, base_name(path) - path - 1);
  int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (inotify_add_watch(watch, directory, IN_MODIFY | IN_CREATE) < 0) die("%s: %s", directory, strerror(errno));
  for (;;) {
    char events[4096];
    struct pollfd ready = {.fd = watch, .events = POLLIN};
    print_new(query, follow, &partial);
    poll(&ready, 1, 1000);
    while (read(watch, events, sizeof events) > 0) continue;
    struct stat status;
    if (!stat(path, &status) && status.st_ino != follow->inode) {
      print_new(query, follow, &partial);
      open_follow(follow, false);
    }
  }
}

int journalctl_main(int argc, char **argv) {
  (void)argc;
  Query query = {.priority = 7, .lines = SIZE_MAX, .until = INT64_MAX};
  for (char **place = argv + 1; *place; place++) {
    if (**place == '-') {
      take_option(&query, &place);
    } else {
      die("Failed to add match '%s': only options are known here", *place);
    }
  }
  if (query.list_boots) return list_boots(&query);
  if (!choose_boot(&query)) die("No journal boot entry found for the specified boot (%s).", query.boot_argument);
  if (query.follow && !query.lines_given) query.lines = 10;
  Follow follow = {0};
  if (query.follow) open_follow(&follow, true);
  journal_read(take_match, &query);
  size_t count = query.matches.count, first = count > query.lines ? count - query.lines : 0;
  for (size_t i = first; i < count; i++) {
    const char *line = query.matches.items[query.reverse ? count - 1 - (i - first) : i];
    if (!write_all(1, line, strlen(line))) return 1;
  }
  if (!count && !query.follow && query.output == OUTPUT_SHORT) puts("-- No entries --");
  if (query.follow) follow_journal(&query, &follow);
  return 0;
}
