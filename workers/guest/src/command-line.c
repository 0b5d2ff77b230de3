/* Command lines of Exec…= keys; see command-line.h. */
#include "command-line.h"

#include <stdlib.h>
#include <string.h>

/* One escape after the backslash at `text`; returns what follows it. */
static const char *unescape(const char *text, Bytes *word) {
  static const char from[] = "abfnrtvs", to[] = "\a\b\f\n\r\t\v ";
  const char *known = *text ? strchr(from, *text) : NULL;
  char character = known ? to[known - from] : *text;
  if (*text == 'x') {
    char digits[3] = {text[1], text[1] ? text[2] : 0, 0};
    character = (char)strtol(digits, NULL, 16);
    text += strspn(digits, "0123456789abcdefABCDEF");
  } else if (*text >= '0' && *text <= '7') {
    char digits[4] = {text[0], text[1], text[1] ? text[2] : 0, 0};
    digits[strspn(digits, "01234567")] = 0;
    character = (char)strtol(digits, NULL, 8);
    text += strlen(digits) - 1;
  }
  if (!*text) return text;
  bytes_add(word, &character, 1);
  return text + 1;
}

bool split_quoted(const char *text, Strings *words) {
  while (*(text += strspn(text, " \t\n"))) {
    Bytes word = {0};
    char quote = 0;
    bytes_text(&word, "");
    while (*text && (quote || !strchr(" \t\n", *text))) {
      char character = *text++;
      if (character == '\\') {
        text = unescape(text, &word);
      } else if (quote ? character == quote : character == '"' || character == '\'') {
        quote = quote ? 0 : character;
      } else {
        bytes_add(&word, &character, 1);
      }
    }
    strings_take(words, word.data);
    if (quote) return false;
  }
  return true;
}

bool parse_command_line(const char *text, CommandLine *command, const char **problem) {
  *command = (CommandLine){0};
  bool named = false;
  for (; *text && strchr("-@:+!|", *text); text++) {
    if (*text == '-') command->ignore_failure = true;
    if (*text == '@') named = true;
    if (*text == ':') command->literal = true;
    if (*text == '+' || *text == '!') command->privileged = true;
  }
  *problem = "unbalanced quoting";
  if (!split_quoted(text, &command->argv)) return false;
  *problem = "no command";
  if (command->argv.count < (named ? 2 : 1)) return false;
  command->program = copy_text(command->argv.items[0]);
  if (named) {
    char *first = command->argv.items[0];
    memmove(command->argv.items, command->argv.items + 1, command->argv.count * sizeof *command->argv.items);
    command->argv.count--;
    free(first);
  }
  return true;
}

const char *environment_get(const Strings *environment, const char *name, size_t length) {
  for (size_t i = environment->count; i-- > 0;)
    if (!strncmp(environment->items[i], name, length) && environment->items[i][length] == '=') return environment->items[i] + length + 1;
  return NULL;
}

static size_t name_length(const char *text) {
  return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

static char *expand_word(const char *word, const Strings *environment) {
  Bytes out = {0};
  bytes_text(&out, "");
  while (*word) {
    size_t length = word[0] == '$' && word[1] == '{' ? name_length(word + 2) : 0;
    if (length && word[2 + length] == '}') {
      const char *value = environment_get(environment, word + 2, length);
      if (value) bytes_text(&out, value);
      word += length + 3;
    } else {
      bytes_add(&out, word, 1);
      word += word[0] == '$' && word[1] == '$' ? 2 : 1;
    }
  }
  return out.data;
}

void expand_variables(CommandLine *command, const Strings *environment) {
  if (command->literal) return;
  Strings expanded = {0};
  for (size_t i = 0; i < command->argv.count; i++) {
    const char *word = command->argv.items[i];
    size_t length = *word == '$' ? name_length(word + 1) : 0;
    if (i && length && !word[1 + length]) {
      const char *value = environment_get(environment, word + 1, length);
      if (value) split_quoted(value, &expanded);
    } else {
      strings_take(&expanded, expand_word(word, environment));
    }
  }
  strings_free(&command->argv);
  command->argv = expanded;
}

void command_line_free(CommandLine *command) {
  free(command->program);
  strings_free(&command->argv);
}
