/* The supervisor as a whole: boot, its main loop, shutdown, and what the state of the system is. */
#ifndef MANAGER_H
#define MANAGER_H

#include <sys/types.h>

#include "unit.h"

int manager_main(int argc, char **argv);

/* A line on the console during boot and shutdown: `[  OK  ] Started …`. `kind` is OK, FAILED or DEPEND. */
void manager_status(const char *kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* `initializing`, `starting`, `running`, `degraded`, `stopping`. */
const char *manager_system_state(void);
size_t manager_failed_units(void);
/* Stops everything and tells the host `poweroff` or `reboot`. */
void manager_shutdown(const char *how);
void manager_reload(void);
/* When the supervisor became PID 1: monotonic. */
int64_t manager_started(void);

#endif
