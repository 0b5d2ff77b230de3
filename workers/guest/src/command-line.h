/* Command lines of Exec…= keys, environment assignments, and specifiers, by systemd's rules. */
#ifndef COMMAND_LINE_H
#define COMMAND_LINE_H

#include "util.h"

typedef struct {
  /* The program to run, and its words; with `@` the first word differs from the program. */
  char *program;
  Strings argv;
  /* `-`: a failure does not count. `+`, `!`: without User= and the like. `:`: no variables are put in. */
  bool ignore_failure, privileged, literal;
} CommandLine;

/* Splits by white space, with quotes and C escapes. False when a quote is open. */
bool split_quoted(const char *text, Strings *words);
/* False with `*problem` set when it is not a command line. */
bool parse_command_line(const char *text, CommandLine *command, const char **problem);
/* `$NAME` as a word becomes that variable's words, `${NAME}` anywhere its value. */
void expand_variables(CommandLine *command, const Strings *environment);
void command_line_free(CommandLine *command);
/* The value of NAME in `KEY=VALUE` strings; NULL when absent. */
const char *environment_get(const Strings *environment, const char *name, size_t length);

#endif
