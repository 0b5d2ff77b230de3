/*
 * Calendar events; see calendar.h. The form is `[WEEKDAYS] [[YEAR-]MONTH-DAY] [HOUR:MINUTE[:SECOND]]`; each number is `*` or a list of
 * values, ranges `a..b` and steps `a/n`.
 */
#include "calendar.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { FIRST_YEAR = 1970, YEARS = 200 };

typedef struct {
  bool weekdays[7], years[YEARS], months[13], days[32], hours[24], minutes[60], seconds[60];
} Calendar;

static const struct {
  const char *name, *meaning;
} shorthands[] = {{"minutely", "*-*-* *:*:00"},   {"hourly", "*-*-* *:00:00"},        {"daily", "*-*-* 00:00:00"},      {"monthly", "*-*-01 00:00:00"},
                  {"weekly", "Mon *-*-* 00:00:00"}, {"yearly", "*-01-01 00:00:00"},     {"annually", "*-01-01 00:00:00"}, {"quarterly", "*-01,04,07,10-01 00:00:00"},
                  {"semiannually", "*-01,07-01 00:00:00"}};

static const char *const weekday_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

static int weekday_number(const char *text, size_t length) {
  static const char *const long_names[] = {"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
  for (int i = 0; i < 7; i++)
    if ((length == 3 && !strncasecmp(text, weekday_names[i], 3)) || (strlen(long_names[i]) == length && !strncasecmp(text, long_names[i], length))) return i;
  return -1;
}

static bool parse_weekdays(const char *text, Calendar *calendar) {
  for (;;) {
    size_t length = strcspn(text, ",.");
    int first = weekday_number(text, length), last = first;
    text += length;
    if (first >= 0 && text[0] == '.' && text[1] == '.') {
      length = strcspn(text + 2, ",");
      last = weekday_number(text + 2, length);
      text += 2 + length;
    }
    if (first < 0 || last < 0) return false;
    for (int day = first;; day = (day + 1) % 7) {
      calendar->weekdays[day] = true;
      if (day == last) break;
    }
    if (*text != ',') return !*text;
    text++;
  }
}

/* One field, up to `length` characters, into `set` whose valid indices are low..high; values have `base` taken off. */
static bool parse_field(const char *text, size_t length, bool *set, int low, int high, int base) {
  char *field = copy_span(text, length), *rest = field;
  bool valid = length > 0;
  while (valid && rest) {
    char *part = strsep(&rest, ",");
    char *slash = strchr(part, '/');
    int step = slash ? atoi(slash + 1) : 0;
    if (slash) *slash = 0;
    char *range = strstr(part, "..");
    bool any = !strcmp(part, "*");
    valid = any || (*part >= '0' && *part <= '9');
    int first = any ? low : atoi(part) - base;
    int last = range ? atoi(range + 2) - base : any || slash ? high : first;
    valid = valid && first >= low && last <= high && first <= last && (!slash || step > 0);
    for (int i = first; valid && i <= last; i += step ? step : 1) set[i] = true;
  }
  free(field);
  return valid;
}

static bool parse_date(const char *text, Calendar *calendar) {
  const char *fields[3];
  size_t lengths[3];
  int count = 0;
  for (;; text++) {
    if (count == 3) return false;
    fields[count] = text;
    lengths[count++] = strcspn(text, "-");
    text += lengths[count - 1];
    if (!*text) break;
  }
  if (count < 2) return false;
  int year = count - 3;
  bool any_year = count == 2;
  for (int i = 0; any_year && i < YEARS; i++) calendar->years[i] = true;
  return (any_year || parse_field(fields[year], lengths[year], calendar->years, 0, YEARS - 1, FIRST_YEAR)) &&
         parse_field(fields[count - 2], lengths[count - 2], calendar->months, 1, 12, 0) && parse_field(fields[count - 1], lengths[count - 1], calendar->days, 1, 31, 0);
}

static bool parse_time(const char *text, Calendar *calendar) {
  size_t hour = strcspn(text, ":");
  if (!text[hour]) return false;
  const char *minutes = text + hour + 1;
  size_t minute = strcspn(minutes, ":");
  const char *seconds = minutes[minute] ? minutes + minute + 1 : "0";
  return parse_field(text, hour, calendar->hours, 0, 23, 0) && parse_field(minutes, minute, calendar->minutes, 0, 59, 0) &&
         parse_field(seconds, strcspn(seconds, "."), calendar->seconds, 0, 59, 0);
}

static bool parse_calendar(const char *text, Calendar *calendar) {
  for (size_t i = 0; i < COUNT_OF(shorthands); i++)
    if (!strcasecmp(text, shorthands[i].name)) text = shorthands[i].meaning;
  Strings words = {0};
  strings_split(&words, text, " \t");
  bool weekdays = false, date = false, time = false, valid = words.count > 0;
  for (size_t i = 0; i < words.count && valid; i++) {
    const char *word = words.items[i];
    if (!strcmp(word, "UTC")) continue;
    if (strchr(word, ':')) {
      valid = time = parse_time(word, calendar);
    } else if (strchr(word, '-')) {
      valid = date = parse_date(word, calendar);
    } else {
      valid = weekdays = parse_weekdays(word, calendar);
    }
  }
  strings_free(&words);
  for (int i = 0; !weekdays && i < 7; i++) calendar->weekdays[i] = true;
  if (!date) parse_date("*-*-*", calendar);
  if (!time) parse_time("0:0:0", calendar);
  return valid;
}

static int next_set(const bool *set, int from, int end) {
  while (from < end && !set[from]) from++;
  return from < end ? from : -1;
}

/* The first matching time of day at or after the one in `moment`; false when this day has none left. */
static bool next_time(const Calendar *calendar, struct tm *moment) {
  int hour = next_set(calendar->hours, moment->tm_hour, 24);
  for (; hour >= 0; hour = next_set(calendar->hours, hour + 1, 24)) {
    bool same_hour = hour == moment->tm_hour;
    int minute = next_set(calendar->minutes, same_hour ? moment->tm_min : 0, 60);
    for (; minute >= 0; minute = next_set(calendar->minutes, minute + 1, 60)) {
      int second = next_set(calendar->seconds, same_hour && minute == moment->tm_min ? moment->tm_sec : 0, 60);
      if (second < 0) continue;
      moment->tm_hour = hour;
      moment->tm_min = minute;
      moment->tm_sec = second;
      return true;
    }
  }
  return false;
}

int64_t calendar_next(const char *text, int64_t after) {
  Calendar *calendar = allocate(sizeof *calendar);
  int64_t result = -2;
  if (parse_calendar(text, calendar)) {
    result = -1;
    time_t start = (time_t)(after / SECOND_US) + 1;
    struct tm moment;
    localtime_r(&start, &moment);
    for (int day = 0; day < 3660 && result < 0; day++) {
      int year = moment.tm_year + 1900 - FIRST_YEAR;
      bool matches = year >= 0 && year < YEARS && calendar->years[year] && calendar->months[moment.tm_mon + 1] && calendar->days[moment.tm_mday] && calendar->weekdays[moment.tm_wday];
      if (matches && next_time(calendar, &moment)) {
        moment.tm_isdst = -1;
        result = (int64_t)mktime(&moment) * SECOND_US;
        break;
      }
      moment.tm_mday++;
      moment.tm_hour = moment.tm_min = moment.tm_sec = 0;
      moment.tm_isdst = -1;
      mktime(&moment);
    }
  }
  free(calendar);
  return result;
}
