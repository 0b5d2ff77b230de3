/*
 * The agent's local socket: `terrarium-step`, `terrarium-shim` and the supervisor speak the host's own frames over it. A step and an event
 * are passed on; a shim gets an even stream number of its own and is relayed both ways, credit included.
 */
#ifndef LOCAL_H
#define LOCAL_H

#include "frame.h"

void local_open(void);
/* The host's answers. */
void local_ack(const char *step);
/* A frame of an even stream. */
void local_relay(const Frame *frame);

#endif
