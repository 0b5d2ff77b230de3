/*
 * A stream of the control channel: bytes between the host and a process, a terminal, a TCP connection or a build.
 * Invariant: a stream never sends more DATA and STDERR than the host gave credit for, and never holds more
 * from the host than it gave credit for; without credit its source is simply not read.
 */
#ifndef STREAM_H
#define STREAM_H

#include <sys/types.h>

#include "loop.h"
#include "util.h"

enum { STREAM_CREDIT = 262144 };

typedef struct Stream Stream;

struct Stream {
  Stream *next;
  uint32_t id;
  /* The process behind it, 0 when there is none (TCP). Leader of its session and process group. */
  pid_t pid;
  bool terminal, connecting, ended;
  /* As waitpid gives it, once `ended`. */
  int status;
  /* What the host sends goes to `input`; what comes from `output` is DATA, from `error` STDERR. -1: closed. */
  int input, output, error;
  Watch *input_watch, *output_watch, *error_watch;
  /* From the host, not yet taken by `input`. */
  Bytes pending;
  bool close_input;
  int64_t credit;
  /* Called instead of sending EXIT, when a build still has to be collected. It frees the stream by stream_exit. */
  void (*on_end)(Stream *stream);
};

Stream *stream_find(uint32_t id);
/* Takes over the descriptors, sets them non-blocking and starts to pump. Any may be -1. */
Stream *stream_open(uint32_t id, pid_t pid, int input, int output, int error);
/* Starts a TCP connection to the guest's own 127.0.0.1. */
void stream_connect(uint32_t id, int port);
void stream_data(Stream *stream, const char *data, size_t length);
void stream_eof(Stream *stream);
void stream_credit(Stream *stream, int64_t more);
void stream_resize(Stream *stream, int columns, int rows);
/* To the process group; any signal closes a TCP connection. */
void stream_signal(Stream *stream, int signal);
/* A child ended. Not an error when no stream is its own. */
void stream_child(pid_t pid, int status);
/* Sends EXIT with two words and frees the stream. */
void stream_exit(Stream *stream, const char *kind, int number);
/* Kills what runs and forgets every stream: the machine boots and the old root goes. */
void stream_end_all(void);

#endif
