/* What the supervisor tells the host, through the agent's socket: events, never questions. Without an agent they are dropped. */
#ifndef HOST_LINK_H
#define HOST_LINK_H

/* An EVENT of these words; the last argument is NULL. */
void host_event(const char *topic, ...) __attribute__((sentinel));
/* The `log` event, limited in rate: a service that floods its log must not flood the page. */
void host_log(const char *unit, const char *priority, const char *text);

#endif
