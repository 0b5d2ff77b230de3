/* The agent: the guest's end of the control channel; see agent.h. */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "boot.h"
#include "builder.h"
#include "frame.h"
#include "local.h"
#include "loop.h"
#include "process.h"
#include "profile.h"
#include "stream.h"

#define CHANNEL "/dev/hvc0"

static int channel = -1;
static Bytes incoming;
static const char *state = "stage1";

/* The channel is a terminal device whose writes are taken by the host at once; waiting for room is the exception. */
void agent_send(uint8_t type, uint32_t stream, const void *payload, size_t length) {
  static Bytes out;
  out.length = 0;
  frame_add(&out, type, stream, payload, length);
  size_t done = 0;
  while (done < out.length) {
    ssize_t count = write(channel, out.data + done, out.length - done);
    if (count > 0) {
      done += count;
    } else if (errno == EAGAIN) {
      struct pollfd room = {.fd = channel, .events = POLLOUT};
      poll(&room, 1, 100);
    } else if (errno != EINTR) {
      die(CHANNEL ": %s", strerror(errno));
    }
  }
}

void agent_send_list(uint8_t type, uint32_t stream, const Strings *list) {
  Bytes payload = {0};
  for (size_t i = 0; i < list->count; i++) bytes_add(&payload, list->items[i], strlen(list->items[i]) + 1);
  agent_send(type, stream, payload.data, payload.length);
  bytes_free(&payload);
}

void agent_boot_event(const char *phase, const char *text) {
  Strings words = {0};
  strings_add(&words, "boot");
  strings_add(&words, phase);
  strings_add(&words, text);
  agent_send_list(TO_HOST_EVENT, 0, &words);
  strings_free(&words);
}

static void send_hello(void) {
  static const char *const words[] = {"1", NULL, "credit"};
  Strings list = {0};
  for (size_t i = 0; i < COUNT_OF(words); i++) strings_add(&list, words[i] ? words[i] : state);
  agent_send_list(TO_HOST_HELLO, 0, &list);
  strings_free(&list);
}

/* Tells the host when activation has changed a link in /run, by whatever program. */
static void run_changed(void *owner, short events) {
  (void)events;
  char buffer[4096] __attribute__((aligned(8)));
  ssize_t length = read((int)(intptr_t)owner, buffer, sizeof buffer);
  for (char *place = buffer; place < buffer + length;) {
    struct inotify_event *event = (struct inotify_event *)place;
    place += sizeof *event + event->len;
    if (!event->len) continue;
    if (!strcmp(event->name, "booted-system")) agent_boot_event("activate", "activating the configuration");
    char *target = strcmp(event->name, "current-system") ? NULL : read_link("/run/current-system");
    if (!target) continue;
    Strings words = {0};
    strings_add(&words, "current");
    strings_take(&words, target);
    agent_send_list(TO_HOST_EVENT, 0, &words);
    strings_free(&words);
  }
}

static void watch_run(void) {
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0 || inotify_add_watch(fd, "/run", IN_CREATE | IN_MOVED_TO) < 0) {
    complain("/run: %s", strerror(errno));
    return;
  }
  watch_add(fd, EPOLLIN, run_changed, (void *)(intptr_t)fd);
}

/* The parent stays PID 1 and becomes stage 2; the child goes on as the agent. */
static void boot(const Strings *request) {
  if (strcmp(state, "stage1")) {
    complain("BOOT in state %s", state);
    return;
  }
  stream_end_all();
  if (!boot_enter(request)) return;
  agent_boot_event("stage2", request->items[1]);
  pid_t pid = fork();
  if (pid < 0) die("fork: %s", strerror(errno));
  if (pid > 0) boot_execute(request);
  loop_after_fork();
  /* Not the console's: a service on the terminal hangs it up for its session. */
  setsid();
  state = "stage2";
  watch_run();
  send_hello();
}

static void stream_frame(const Frame *frame, const Strings *list) {
  Stream *stream = stream_find(frame->stream);
  if (!stream) return;
  switch (frame->type) {
    case TO_GUEST_DATA:
      stream_data(stream, frame->payload, frame->length);
      break;
    case TO_GUEST_EOF:
      stream_eof(stream);
      break;
    case TO_GUEST_CREDIT:
      if (list->count) stream_credit(stream, strtoll(list->items[0], NULL, 10));
      break;
    case TO_GUEST_RESIZE:
      if (list->count > 1) stream_resize(stream, atoi(list->items[0]), atoi(list->items[1]));
      break;
    case TO_GUEST_SIGNAL:
      if (list->count) stream_signal(stream, atoi(list->items[0]));
      break;
  }
}

static void build(uint32_t stream, const Strings *list) {
  state = "builder";
  builder_start(stream, list);
}

static void take_frame(const Frame *frame) {
  if (frame->stream && frame->stream % 2 == 0) {
    local_relay(frame);
    return;
  }
  Strings list = {0};
  if (frame->type != TO_GUEST_DATA) frame_list(frame, &list);
  switch (frame->type) {
    case TO_GUEST_HELLO:
      send_hello();
      break;
    case TO_GUEST_BOOT:
      boot(&list);
      break;
    case TO_GUEST_MOUNT: {
      const char *problem = boot_mount_host();
      if (problem) agent_boot_event("failed", problem);
      break;
    }
    case TO_GUEST_EXEC:
      process_exec(frame->stream, &list);
      break;
    case TO_GUEST_CONNECT:
      if (list.count) stream_connect(frame->stream, atoi(list.items[0]));
      break;
    case TO_GUEST_PROFILE:
      profile_set(&list);
      break;
    case TO_GUEST_BUILD:
      build(frame->stream, &list);
      break;
    case TO_GUEST_ACK:
      if (list.count) local_ack(list.items[0]);
      break;
    default:
      stream_frame(frame, &list);
  }
  strings_free(&list);
}

static void channel_ready(void *owner, short events) {
  (void)owner, (void)events;
  char chunk[16384];
  ssize_t count;
  while ((count = read(channel, chunk, sizeof chunk)) > 0) bytes_add(&incoming, chunk, count);
  size_t offset = 0;
  ssize_t size;
  Frame frame;
  while ((size = frame_peek(&incoming, offset, &frame)) > 0) {
    take_frame(&frame);
    offset += size;
  }
  bytes_drop(&incoming, offset);
  /* A length that cannot be: the rest of what is here has no meaning, what follows may. */
  if (size < 0) incoming.length = 0;
}

static void on_signal(int signal) {
  int status;
  pid_t pid;
  while (signal == SIGCHLD && (pid = waitpid(-1, &status, WNOHANG)) > 0)
    if (!builder_child(pid, status)) stream_child(pid, status);
}

static void open_channel(void) {
  channel = open(CHANNEL, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (channel < 0) die(CHANNEL ": %s", strerror(errno));
  struct termios modes;
  tcgetattr(channel, &modes);
  cfmakeraw(&modes);
  tcsetattr(channel, TCSANOW, &modes);
  watch_add(channel, EPOLLIN, channel_ready, NULL);
}

int agent_main(void) {
  program_name = "agent";
  boot_prepare();
  signal(SIGPIPE, SIG_IGN);
  loop_signals((int[]){SIGCHLD}, 1, on_signal);
  local_open();
  open_channel();
  send_hello();
  loop_run();
  return 1;
}
