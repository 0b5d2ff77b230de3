/* The agent's local socket; see local.h. */
#include "local.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "loop.h"

typedef struct Client {
  struct Client *next;
  int fd;
  Watch *watch;
  Bytes in, out;
  /* The step it waits for, NULL when none. */
  char *step;
  /* Its stream with the host, 0 when it is no shim. */
  uint32_t stream;
} Client;

static Client *clients;
static uint32_t next_stream = 2;

static void drop(Client *client) {
  for (Client **link = &clients; *link; link = &(*link)->next)
    if (*link == client) {
      *link = client->next;
      break;
    }
  /* The host must not wait for a shim that was interrupted. */
  if (client->stream) agent_send(TO_HOST_EXIT, client->stream, "signal\0001", 9);
  watch_remove(client->watch);
  close(client->fd);
  bytes_free(&client->in);
  bytes_free(&client->out);
  free(client->step);
  free(client);
}

/* False when the client is gone. */
static bool flush(Client *client) {
  while (client->out.length) {
    ssize_t count = send(client->fd, client->out.data, client->out.length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (count < 0) {
      drop(client);
      return false;
    }
    bytes_drop(&client->out, count);
  }
  watch_events(client->watch, client->out.length ? EPOLLIN | EPOLLOUT : EPOLLIN);
  return true;
}

static void take_step(Client *client, const Frame *frame) {
  Strings words = {0};
  frame_list(frame, &words);
  free(client->step);
  client->step = copy_text(words.count ? words.items[0] : "");
  strings_free(&words);
  agent_send(TO_HOST_STEP, 0, frame->payload, frame->length);
}

static void take_frame(Client *client, const Frame *frame) {
  switch (frame->type) {
    case TO_HOST_STEP:
      take_step(client, frame);
      break;
    case TO_HOST_EVENT:
      agent_send(TO_HOST_EVENT, 0, frame->payload, frame->length);
      break;
    case TO_HOST_SHIM:
      client->stream = next_stream;
      next_stream += 2;
      agent_send(TO_HOST_SHIM, client->stream, frame->payload, frame->length);
      break;
    case TO_HOST_DATA:
    case TO_HOST_EOF:
    case TO_HOST_CREDIT:
      if (client->stream) agent_send(frame->type, client->stream, frame->payload, frame->length);
      break;
  }
}

static void client_ready(void *owner, short events) {
  Client *client = owner;
  if (events & EPOLLOUT && !flush(client)) return;
  if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
  char chunk[16384];
  ssize_t count = recv(client->fd, chunk, sizeof chunk, MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count > 0) bytes_add(&client->in, chunk, count);
  size_t offset = 0;
  ssize_t size = 0;
  Frame frame;
  while (count > 0 && (size = frame_peek(&client->in, offset, &frame)) > 0) {
    take_frame(client, &frame);
    offset += size;
  }
  bytes_drop(&client->in, offset);
  if (count <= 0 || size < 0) drop(client);
}

static void accept_client(void *owner, short events) {
  (void)events;
  int fd = accept4((int)(intptr_t)owner, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  Client *client = allocate(sizeof *client);
  *client = (Client){.next = clients, .fd = fd};
  client->watch = watch_add(fd, EPOLLIN, client_ready, client);
  clients = client;
}

void local_open(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = AGENT_SOCKET};
  make_directories("/run/terrarium", 0755);
  unlink(AGENT_SOCKET);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0) die("%s: %s", AGENT_SOCKET, strerror(errno));
  /* Every user may run `nix-store -q`; what a command may do is the host's to say. */
  chmod(AGENT_SOCKET, 0666);
  watch_add(fd, EPOLLIN, accept_client, (void *)(intptr_t)fd);
}

void local_ack(const char *step) {
  for (Client *client = clients; client; client = client->next) {
    if (!client->step || strcmp(client->step, step)) continue;
    free(client->step);
    client->step = NULL;
    frame_add(&client->out, TO_GUEST_ACK, 0, NULL, 0);
    flush(client);
    return;
  }
}

void local_relay(const Frame *frame) {
  for (Client *client = clients; client; client = client->next) {
    if (client->stream != frame->stream) continue;
    frame_add(&client->out, frame->type, frame->stream, frame->payload, frame->length);
    if (frame->type == TO_GUEST_EXIT) client->stream = 0;
    flush(client);
    return;
  }
}
