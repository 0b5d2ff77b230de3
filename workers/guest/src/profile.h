/* PROFILE: the links of /nix/var/nix/profiles, as the host's store has them. */
#ifndef PROFILE_H
#define PROFILE_H

#include "util.h"

/* `request`: profile name, then pairs of link name and target. Remembered, and laid down at once when the directory exists. */
void profile_set(const Strings *request);
/* Lays down everything remembered, in a root other than `/` (the new one, at boot). */
void profile_write_all(const char *root);

#endif
