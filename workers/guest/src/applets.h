/* The entry points of the small programs; each returns an exit code. argv[0] is the name it was called by. */
#ifndef APPLETS_H
#define APPLETS_H

int systemctl_main(int argc, char **argv);
int journalctl_main(int argc, char **argv);
int switch_main(int argc, char **argv);
int setup_etc_main(int argc, char **argv);
int update_users_main(int argc, char **argv);
int set_link_main(int argc, char **argv);
/* poweroff, reboot, halt, shutdown */
int power_main(int argc, char **argv);
int step_main(int argc, char **argv);
int shim_main(int argc, char **argv);
/* As shim_main, but the command is argv itself. */
int shim_call(int argc, char **argv);
/* Takes and gives back all free memory, so that the state image holds zeros there. */
int zero_memory_main(int argc, char **argv);

#endif
