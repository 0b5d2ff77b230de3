/*
 * The agent: the guest's end of the control channel (PROTOCOL.md). It is PID 1 of stage 1; at BOOT it forks, the parent becomes stage 2 and the
 * child keeps the channel for the machine's whole life.
 */
#ifndef AGENT_H
#define AGENT_H

#include "util.h"

#define AGENT_SOCKET "/run/terrarium/agent.sock"

int agent_main(void);

/* To the host, at once. */
void agent_send(uint8_t type, uint32_t stream, const void *payload, size_t length);
void agent_send_list(uint8_t type, uint32_t stream, const Strings *list);
/* An EVENT of the topic `boot`. */
void agent_boot_event(const char *phase, const char *text);

#endif
