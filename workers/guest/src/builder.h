/* BUILD: one derivation in a fresh sandbox, as Nix makes it on Linux (PROTOCOL.md, "Builder"). */
#ifndef BUILDER_H
#define BUILDER_H

#include "util.h"

/* `request` is BUILD's list. Everything that goes wrong before the builder runs ends the stream with EXIT `error`. */
void builder_start(uint32_t stream, const Strings *request);
/* A child ended; true when it was the builder's own (the copy of the outputs). */
bool builder_child(pid_t pid, int status);

#endif
