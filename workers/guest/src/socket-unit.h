/* Socket units: the supervisor listens, and starts the service when somebody calls. Accept=yes is not known. */
#ifndef SOCKET_UNIT_H
#define SOCKET_UNIT_H

#include "unit.h"

void socket_start(Unit *unit);
void socket_stop(Unit *unit);
/* The descriptors that the sockets triggering this service hold; valid until the next call. */
size_t socket_descriptors(const Unit *service, const int **descriptors);
/* After each round: sockets whose service has ended listen again. */
void sockets_rearm(void);

#endif
