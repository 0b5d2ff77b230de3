/* Streams of the control channel; see stream.h. */
#include "stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "frame.h"

static Stream *streams;

Stream *stream_find(uint32_t id) {
  for (Stream *stream = streams; stream; stream = stream->next)
    if (stream->id == id) return stream;
  return NULL;
}

static void close_end(int *fd, Watch **watch) {
  watch_remove(*watch);
  *watch = NULL;
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

static void close_all(Stream *stream) {
  close_end(&stream->input, &stream->input_watch);
  close_end(&stream->output, &stream->output_watch);
  close_end(&stream->error, &stream->error_watch);
}

static void forget(Stream *stream) {
  for (Stream **link = &streams; *link; link = &(*link)->next)
    if (*link == stream) {
      *link = stream->next;
      break;
    }
  close_all(stream);
  bytes_free(&stream->pending);
  free(stream);
}

void stream_exit(Stream *stream, const char *kind, int number) {
  Strings words = {0};
  strings_add(&words, kind);
  strings_format(&words, "%d", number);
  agent_send_list(TO_HOST_EXIT, stream->id, &words);
  strings_free(&words);
  forget(stream);
}

/* The end of a process stream: it was waited for and everything it wrote has been sent. */
static bool finish_process(Stream *stream) {
  if (!stream->ended || stream->output >= 0 || stream->error >= 0) return false;
  if (stream->on_end) {
    stream->on_end(stream);
  } else if (WIFSIGNALED(stream->status)) {
    stream_exit(stream, "signal", WTERMSIG(stream->status));
  } else {
    stream_exit(stream, "exit", WEXITSTATUS(stream->status));
  }
  return true;
}

/* The end of a connection: both directions are closed. */
static bool finish(Stream *stream) {
  if (stream->pid) return finish_process(stream);
  if (stream->input >= 0 || stream->output >= 0) return false;
  stream_exit(stream, "exit", 0);
  return true;
}

static void update_watches(Stream *stream);

/* Reads once from `output` or `error`. False when there is nothing to read now. May free the stream: `*gone` says so. */
static bool pump_once(Stream *stream, bool error, bool *gone) {
  static char chunk[32768];
  int *fd = error ? &stream->error : &stream->output;
  if (*fd < 0 || stream->credit <= 0) return false;
  size_t most = stream->credit < (int64_t)sizeof chunk ? (size_t)stream->credit : sizeof chunk;
  ssize_t count = read(*fd, chunk, most);
  if (count > 0) {
    stream->credit -= count;
    agent_send(error ? TO_HOST_STDERR : TO_HOST_DATA, stream->id, chunk, count);
    return true;
  }
  if (count < 0 && (errno == EAGAIN || errno == EINTR) && !stream->ended) return false;
  close_end(fd, error ? &stream->error_watch : &stream->output_watch);
  if (!error) agent_send(TO_HOST_EOF, stream->id, NULL, 0);
  *gone = finish(stream);
  return false;
}

static void pump(Stream *stream, bool error) {
  bool gone = false;
  pump_once(stream, error, &gone);
  if (!gone) update_watches(stream);
}

static void output_ready(void *owner, short events) {
  (void)events;
  pump(owner, false);
}

static void error_ready(void *owner, short events) {
  (void)events;
  pump(owner, true);
}

static void give_credit(Stream *stream, size_t length) {
  if (!length) return;
  Strings list = {0};
  strings_format(&list, "%zu", length);
  agent_send_list(TO_HOST_CREDIT, stream->id, &list);
  strings_free(&list);
}

static void shut_input(Stream *stream) {
  if (stream->terminal) {
    /* A terminal has no end of its own: what a user types is the end-of-file character. */
    struct termios modes;
    char character = 4;
    if (!tcgetattr(stream->input, &modes)) character = (char)modes.c_cc[VEOF];
    if (write(stream->input, &character, 1) < 0) complain("terminal: %s", strerror(errno));
    stream->close_input = false;
    return;
  }
  if (!stream->pid) shutdown(stream->input, SHUT_WR);
  close_end(&stream->input, &stream->input_watch);
}

/* What cannot be written any more counts as consumed, so that the host does not wait for it. */
static void drop_pending(Stream *stream) {
  give_credit(stream, stream->pending.length);
  bytes_free(&stream->pending);
}

/* True when the stream is gone. */
static bool flush_pending(Stream *stream) {
  while (stream->pending.length && stream->input >= 0) {
    ssize_t count = write(stream->input, stream->pending.data, stream->pending.length);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (count < 0) {
      drop_pending(stream);
      close_end(&stream->input, &stream->input_watch);
      return finish(stream);
    }
    bytes_drop(&stream->pending, count);
    give_credit(stream, count);
  }
  if (stream->close_input && !stream->pending.length && stream->input >= 0) {
    shut_input(stream);
    return !stream->pid && finish(stream);
  }
  return false;
}

static void connected(Stream *stream) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(stream->input, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error) {
    stream_exit(stream, "refused", error);
    return;
  }
  stream->connecting = false;
  agent_send(TO_HOST_OPEN, stream->id, NULL, 0);
  if (!flush_pending(stream)) update_watches(stream);
}

static void input_ready(void *owner, short events) {
  (void)events;
  Stream *stream = owner;
  if (stream->connecting) {
    connected(stream);
  } else if (!flush_pending(stream)) {
    update_watches(stream);
  }
}

static void watch_when(bool wanted, int fd, Watch **watch, short events, WatchFunction *function, Stream *stream) {
  if (wanted && fd >= 0 && !*watch) {
    *watch = watch_add(fd, events, function, stream);
  } else if (!wanted && *watch) {
    watch_remove(*watch);
    *watch = NULL;
  }
}

/* A descriptor is watched only while something can be done with it: a hang-up would be reported without end. */
static void update_watches(Stream *stream) {
  bool reading = stream->credit > 0 && !stream->connecting;
  watch_when(stream->connecting || stream->pending.length, stream->input, &stream->input_watch, EPOLLOUT, input_ready,
             stream);
  watch_when(reading, stream->output, &stream->output_watch, EPOLLIN, output_ready, stream);
  watch_when(reading, stream->error, &stream->error_watch, EPOLLIN, error_ready, stream);
}

static void set_nonblocking(int fd) {
  if (fd >= 0) fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static Stream *new_stream(uint32_t id, pid_t pid, int input, int output, int error) {
  Stream *stream = allocate(sizeof *stream);
  *stream = (Stream){.next = streams,
                     .id = id,
                     .pid = pid,
                     .input = input,
                     .output = output,
                     .error = error,
                     .credit = STREAM_CREDIT};
  set_nonblocking(input);
  set_nonblocking(output);
  set_nonblocking(error);
  return streams = stream;
}

Stream *stream_open(uint32_t id, pid_t pid, int input, int output, int error) {
  Stream *stream = new_stream(id, pid, input, output, error);
  update_watches(stream);
  return stream;
}

void stream_connect(uint32_t id, int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
  Stream *stream = new_stream(id, 0, fd, fcntl(fd, F_DUPFD_CLOEXEC, 0), -1);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS) {
    stream_exit(stream, "refused", errno);
    return;
  }
  stream->connecting = true;
  update_watches(stream);
}

void stream_data(Stream *stream, const char *data, size_t length) {
  if (stream->input < 0) {
    give_credit(stream, length);
    return;
  }
  bytes_add(&stream->pending, data, length);
  if (!stream->connecting && flush_pending(stream)) return;
  update_watches(stream);
}

void stream_eof(Stream *stream) {
  stream->close_input = true;
  if (stream->connecting || flush_pending(stream)) return;
  update_watches(stream);
}

void stream_credit(Stream *stream, int64_t more) {
  stream->credit += more;
  update_watches(stream);
}

void stream_resize(Stream *stream, int columns, int rows) {
  struct winsize size = {.ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows};
  if (stream->terminal) ioctl(stream->input, TIOCSWINSZ, &size);
}

void stream_signal(Stream *stream, int signal) {
  if (!stream->pid) {
    stream_exit(stream, "signal", signal);
    return;
  }
  if (stream->ended) return;
  /* On a terminal the job in front gets it too, as from the keyboard. */
  pid_t front = stream->terminal ? tcgetpgrp(stream->input) : -1;
  if (front > 0 && front != stream->pid) kill(-front, signal);
  if (kill(-stream->pid, signal) < 0) kill(stream->pid, signal);
}

void stream_child(pid_t pid, int status) {
  for (Stream *stream = streams; stream; stream = stream->next) {
    if (stream->pid != pid) continue;
    stream->ended = true;
    stream->status = status;
    /* A background job may hold the output open for ever: what is there now is the command's output. */
    bool gone = false;
    while (!gone && pump_once(stream, false, &gone)) continue;
    while (!gone && pump_once(stream, true, &gone)) continue;
    if (!gone && !finish_process(stream)) update_watches(stream);
    return;
  }
}

void stream_end_all(void) {
  while (streams) {
    if (streams->pid && !streams->ended) kill(-streams->pid, SIGKILL);
    stream_exit(streams, "signal", SIGKILL);
  }
}
