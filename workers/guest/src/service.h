/* Services: their processes, from the first ExecStartPre to the last of the control group. */
#ifndef SERVICE_H
#define SERVICE_H

#include <sys/types.h>

#include "unit.h"

/* Called for a unit whose start (stop, reload) job runs; each ends in job_finish, now or later. */
void service_start(Unit *unit);
void service_stop(Unit *unit);
void service_reload(Unit *unit);
/* A child ended. True when it was some service's. */
bool service_child(pid_t pid, int status);
/* Looks again whether control groups that are being emptied are empty. */
void services_check_groups(void);
/* A message on the notification socket. */
void service_notify(pid_t sender, char *text);
void service_reset_limit(Unit *unit);
/* What `systemctl status` shows: 0 and NULL when there is none. */
pid_t service_main_pid(const Unit *unit);
const char *service_status_text(const Unit *unit);
/* How the main process ended: waitpid's status; false when it has not. */
bool service_main_status(const Unit *unit, pid_t *pid, int *status);
/* The control process whose failure failed the unit: `ExecStartPre=…`; NULL when there was none. */
const char *service_failed_command(const Unit *unit, pid_t *pid, int *status);
/* The processes of the unit's control group. */
void unit_processes(const Unit *unit, Strings *pids);
/* The control group's directory. Owned. */
char *unit_group(const Unit *unit);
const char *signal_name(int signal);

#endif
