/*
 * Frames of the control channel (PROTOCOL.md) and of the two local sockets, which use the same shape:
 * u32 length (of what follows), u8 type, u32 stream, payload. A list in a payload is NUL-ended strings.
 */
#ifndef FRAME_H
#define FRAME_H

#include "util.h"

enum {
  FRAME_HEAD = 9,
  FRAME_MOST = 262144,

  TO_GUEST_HELLO = 0x01,
  TO_GUEST_BOOT = 0x02,
  TO_GUEST_EXEC = 0x03,
  TO_GUEST_DATA = 0x04,
  TO_GUEST_EOF = 0x05,
  TO_GUEST_RESIZE = 0x06,
  TO_GUEST_SIGNAL = 0x07,
  TO_GUEST_CONNECT = 0x08,
  TO_GUEST_PROFILE = 0x09,
  TO_GUEST_BUILD = 0x0a,
  TO_GUEST_ACK = 0x0b,
  TO_GUEST_EXIT = 0x0c,
  TO_GUEST_STDERR = 0x0d,
  TO_GUEST_MOUNT = 0x0e,
  TO_GUEST_CREDIT = 0x0f,

  TO_HOST_HELLO = 0x81,
  TO_HOST_DATA = 0x84,
  TO_HOST_STDERR = 0x85,
  TO_HOST_EOF = 0x86,
  TO_HOST_EXIT = 0x87,
  TO_HOST_OPEN = 0x88,
  TO_HOST_EVENT = 0x89,
  TO_HOST_STEP = 0x8a,
  TO_HOST_SHIM = 0x8b,
  TO_HOST_CREDIT = 0x8f,
};

typedef struct {
  uint8_t type;
  uint32_t stream;
  /* Borrowed from the buffer it was read from, until the next frame is taken. Followed by no NUL of its own. */
  const char *payload;
  size_t length;
} Frame;

/* Adds one frame to `out`. */
void frame_add(Bytes *out, uint8_t type, uint32_t stream, const void *payload, size_t length);
/* Adds one frame whose payload is a list. */
void frame_add_list(Bytes *out, uint8_t type, uint32_t stream, const Strings *list);
/*
 * Looks at the frame that starts at `offset` of `in`. Returns its whole size, 0 when it is not complete, and -1 when its
 * length is impossible (the channel is then out of step and cannot be mended).
 */
ssize_t frame_peek(const Bytes *in, size_t offset, Frame *frame);
/* The strings of a list payload. */
void frame_list(const Frame *frame, Strings *list);

/* The same over blocking sockets, for the small clients. False at the end or on failure. */
bool frame_send(int fd, uint8_t type, uint32_t stream, const void *payload, size_t length);
bool frame_send_list(int fd, uint8_t type, uint32_t stream, const Strings *list);
/* Reads into `buffer` until a frame is complete, whose bytes stay valid until the next call. `used` starts at 0. */
bool frame_receive(int fd, Bytes *buffer, size_t *used, Frame *frame);
/* A blocking stream connection to a unix socket, -1 with errno. */
int connect_socket(const char *path);

#endif
