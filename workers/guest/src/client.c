/* The small programs that talk to the host through the agent's socket: terrarium-step and the shim of the Nix commands. */
#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "agent.h"
#include "applets.h"
#include "frame.h"
#include "stream.h"
#include "util.h"

int step_main(int argc, char **argv) {
  if (argc < 2) die("usage: terrarium-step NAME [TEXT]");
  int fd = connect_socket(AGENT_SOCKET);
  /* Outside of a terrarium (a native test of the activation script) there is nobody to wait for. */
  if (fd < 0) return 0;
  Strings words = {0};
  strings_add(&words, argv[1]);
  strings_add(&words, argc > 2 ? argv[2] : "");
  Bytes buffer = {0};
  size_t used = 0;
  Frame frame;
  if (!frame_send_list(fd, TO_HOST_STEP, 0, &words)) return 1;
  while (frame_receive(fd, &buffer, &used, &frame))
    if (frame.type == TO_GUEST_ACK) return 0;
  return 1;
}

typedef struct {
  int fd;
  Bytes buffer;
  /* How much of standard input the host has room for. */
  int64_t credit;
  bool input_open;
  int status;
} Shim;

static void send_call(Shim *shim, int argc, char **argv) {
  Strings words = {0};
  char *directory = getcwd(NULL, 0);
  struct passwd *user = getpwuid(getuid());
  size_t entries = 0;
  strings_add(&words, directory ? directory : "/");
  strings_add(&words, user ? user->pw_name : "root");
  while (environ[entries]) entries++;
  strings_format(&words, "%zu", entries);
  for (size_t i = 0; i < entries; i++) strings_add(&words, environ[i]);
  strings_add(&words, base_name(argv[0]));
  for (int i = 1; i < argc; i++) strings_add(&words, argv[i]);
  if (!frame_send_list(shim->fd, TO_HOST_SHIM, 0, &words)) die("%s: %s", AGENT_SOCKET, strerror(errno));
}

static void forward_input(Shim *shim) {
  static char chunk[16384];
  size_t most = shim->credit < (int64_t)sizeof chunk ? (size_t)shim->credit : sizeof chunk;
  ssize_t count = read(0, chunk, most);
  if (count > 0) {
    shim->credit -= count;
    frame_send(shim->fd, TO_HOST_DATA, 0, chunk, count);
  } else if (count == 0 || errno != EINTR) {
    shim->input_open = false;
    frame_send(shim->fd, TO_HOST_EOF, 0, NULL, 0);
  }
}

static void write_output(Shim *shim, int fd, const Frame *frame) {
  write_all(fd, frame->payload, frame->length);
  Strings words = {0};
  strings_format(&words, "%zu", frame->length);
  frame_send_list(shim->fd, TO_HOST_CREDIT, 0, &words);
  strings_free(&words);
}

/* False when the call is over. */
static bool take_answer(Shim *shim, const Frame *frame) {
  Strings words = {0};
  switch (frame->type) {
    case TO_GUEST_DATA:
      write_output(shim, 1, frame);
      break;
    case TO_GUEST_STDERR:
      write_output(shim, 2, frame);
      break;
    case TO_GUEST_CREDIT:
    case TO_GUEST_EXIT:
      frame_list(frame, &words);
      long number = words.count ? strtol(words.items[0], NULL, 10) : 1;
      if (frame->type == TO_GUEST_CREDIT) {
        shim->credit += number;
      } else {
        shim->status = (int)number;
      }
      strings_free(&words);
      return frame->type != TO_GUEST_EXIT;
  }
  return true;
}

/* False when the call is over. */
static bool read_answers(Shim *shim) {
  char chunk[16384];
  ssize_t count = read(shim->fd, chunk, sizeof chunk);
  if (count <= 0) return count < 0 && errno == EINTR;
  bytes_add(&shim->buffer, chunk, count);
  size_t offset = 0;
  ssize_t size;
  Frame frame;
  bool more = true;
  while (more && (size = frame_peek(&shim->buffer, offset, &frame)) > 0) {
    more = take_answer(shim, &frame);
    offset += size;
  }
  bytes_drop(&shim->buffer, offset);
  return more;
}

int shim_call(int argc, char **argv) {
  Shim shim = {.fd = connect_socket(AGENT_SOCKET), .credit = STREAM_CREDIT, .input_open = true, .status = 1};
  program_name = base_name(argv[0]);
  if (shim.fd < 0) die("the terrarium around this machine does not answer: %s", strerror(errno));
  send_call(&shim, argc, argv);
  for (;;) {
    /* A terminal's input is the next prompt's unless the host asks for it: it is read only while it is waited for in front. */
    bool reading = shim.input_open && shim.credit > 0;
    struct pollfd ends[2] = {{.fd = shim.fd, .events = POLLIN}, {.fd = reading ? 0 : -1, .events = POLLIN}};
    if (poll(ends, 2, -1) < 0 && errno != EINTR) return 1;
    if (ends[0].revents && !read_answers(&shim)) return shim.status;
    if (reading && ends[1].revents) forward_input(&shim);
  }
}

int shim_main(int argc, char **argv) {
  if (argc < 2) die("usage: terrarium-shim NAME ARGUMENT...");
  return shim_call(argc - 1, argv + 1);
}

int zero_memory_main(int argc, char **argv) {
  (void)argc, (void)argv;
  struct sysinfo info;
  sysinfo(&info);
  /* Leaves a little, so that nothing is killed for it. */
  size_t size = (size_t)info.freeram * info.mem_unit;
  size = size > 6 << 20 ? size - (6 << 20) : 0;
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  return memory == MAP_FAILED;
}
