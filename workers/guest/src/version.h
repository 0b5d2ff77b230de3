/* The supervisor's version, as the channel's store path names it. */
#ifndef VERSION_H
#define VERSION_H

#define SUPERVISOR_VERSION "1.0"

#endif
