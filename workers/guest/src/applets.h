/* The entry points of the small programs; each returns an exit code. argv[0] is the name it was called by. */
#ifndef APPLETS_H
#define APPLETS_H

int step_main(int argc, char **argv);
int shim_main(int argc, char **argv);
/* As shim_main, but the command is argv itself. */
int shim_call(int argc, char **argv);
/* Takes and gives back all free memory, so that the state image holds zeros there. */
int zero_memory_main(int argc, char **argv);

#endif
