/*
 * The supervisor's end of systemctl: one call a connection to /run/systemd/private. The call is a frame CONTROL_CALL with the list of its words;
 * the answer is any number of CONTROL_OUTPUT and CONTROL_ERROR with text and one CONTROL_EXIT with a list of one number.
 */
#ifndef CONTROL_H
#define CONTROL_H

#define CONTROL_SOCKET "/run/systemd/private"

enum { CONTROL_CALL = 0x40, CONTROL_OUTPUT, CONTROL_ERROR, CONTROL_EXIT };

void control_open(void);

#endif
