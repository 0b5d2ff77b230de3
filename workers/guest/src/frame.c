/* Frames of the control channel; see frame.h. */
#include "frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void put_u32(uint8_t *place, uint32_t value) {
  for (int i = 0; i < 4; i++) place[i] = value >> (8 * i);
}

static uint32_t get_u32(const char *place) {
  const uint8_t *bytes = (const uint8_t *)place;
  return bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

void frame_add(Bytes *out, uint8_t type, uint32_t stream, const void *payload, size_t length) {
  uint8_t head[FRAME_HEAD];
  put_u32(head, 5 + length);
  head[4] = type;
  put_u32(head + 5, stream);
  bytes_add(out, head, sizeof head);
  bytes_add(out, payload, length);
}

static void join_list(Bytes *payload, const Strings *list) {
  for (size_t i = 0; i < list->count; i++) bytes_add(payload, list->items[i], strlen(list->items[i]) + 1);
}

void frame_add_list(Bytes *out, uint8_t type, uint32_t stream, const Strings *list) {
  Bytes payload = {0};
  join_list(&payload, list);
  frame_add(out, type, stream, payload.data, payload.length);
  bytes_free(&payload);
}

ssize_t frame_peek(const Bytes *in, size_t offset, Frame *frame) {
  if (in->length - offset < FRAME_HEAD) return 0;
  const char *start = in->data + offset;
  uint32_t length = get_u32(start);
  if (length < 5 || length > FRAME_MOST) return -1;
  if (in->length - offset < 4 + (size_t)length) return 0;
  *frame = (Frame){
      .type = (uint8_t)start[4], .stream = get_u32(start + 5), .payload = start + FRAME_HEAD, .length = length - 5};
  return 4 + length;
}

void frame_list(const Frame *frame, Strings *list) {
  const char *text = frame->payload, *end = frame->payload + frame->length;
  while (text < end) {
    size_t length = strnlen(text, end - text);
    strings_take(list, copy_span(text, length));
    text += length + 1;
  }
}

bool frame_send(int fd, uint8_t type, uint32_t stream, const void *payload, size_t length) {
  Bytes out = {0};
  frame_add(&out, type, stream, payload, length);
  bool sent = write_all(fd, out.data, out.length);
  bytes_free(&out);
  return sent;
}

bool frame_send_list(int fd, uint8_t type, uint32_t stream, const Strings *list) {
  Bytes payload = {0};
  join_list(&payload, list);
  bool sent = frame_send(fd, type, stream, payload.data, payload.length);
  bytes_free(&payload);
  return sent;
}

bool frame_receive(int fd, Bytes *buffer, size_t *used, Frame *frame) {
  bytes_drop(buffer, *used);
  *used = 0;
  for (;;) {
    ssize_t size = frame_peek(buffer, 0, frame);
    if (size < 0) return false;
    if (size > 0) {
      *used = size;
      return true;
    }
    char chunk[16384];
    ssize_t count = read(fd, chunk, sizeof chunk);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes_add(buffer, chunk, count);
  }
}

int connect_socket(const char *path) {
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}
