/* EXEC: commands and terminals that the host starts in the guest. */
#ifndef PROCESS_H
#define PROCESS_H

#include "util.h"

/* `request` is EXEC's list as PROTOCOL.md has it. Everything that goes wrong is told on the stream. */
void process_exec(uint32_t stream, const Strings *request);

/* Adds `KEY=VALUE`, in place of an entry with the same key. */
void environment_set(Strings *environment, const char *entry);
/* The master of a new pseudo-terminal in a parent, `*slave` its path; -1 with errno. */
int terminal_open(char **slave);

#endif
