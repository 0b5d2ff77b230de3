/* Asking the supervisor, for systemctl itself and for the programs that build on it. */
#ifndef SYSTEMCTL_H
#define SYSTEMCTL_H

#include "util.h"

/* One call; output and errors are added to `out` and `error` (NULL: passed on to standard output and error as they come). The exit code. */
int systemctl_call(const Strings *words, Bytes *out, Bytes *error);
/* The same for words given one by one, the last followed by NULL. */
int systemctl_words(Bytes *out, Bytes *error, const char *verb, ...) __attribute__((sentinel));

#endif
