/* One process of a service: its environment, identity, limits, directories and standard streams, as the unit file asks. */
#ifndef SPAWN_H
#define SPAWN_H

#include <sys/types.h>

#include "command-line.h"
#include "unit.h"

typedef struct {
  CommandLine *command;
  /* Added to the unit's own environment: MAINPID and the like. */
  Strings environment;
  /* For Type=exec: the writing end of a pipe that closes when the program runs; else -1. */
  int executed;
  /* Sockets to pass as descriptors 3, 4, …. */
  const int *sockets;
  size_t socket_count;
} Spawn;

/* The exit codes of a child that did not get as far as its program. */
enum { EXIT_CHDIR = 200, EXIT_EXEC = 203, EXIT_STDIN = 208, EXIT_STDOUT = 209, EXIT_GROUP = 216, EXIT_USER = 217, EXIT_RUNTIME_DIRECTORY = 233 };

/* -1 when it could not even fork. Its output goes to the journal unless the unit says otherwise. */
pid_t spawn(Unit *unit, Spawn *spawn);
/* Removes what RuntimeDirectory= made. */
void spawn_remove_runtime_directories(const Unit *unit);
/* `FAILURE`, `EXEC`, …; NULL for codes without a name. */
const char *exit_code_name(int code);

#endif
