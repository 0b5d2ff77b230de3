/* What the supervisor tells the host; see host-link.h. */
#include "host-link.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent.h"
#include "frame.h"

/* Log lines passed on in each second; the journal itself takes all. */
enum { LINES_A_SECOND = 200 };

static int link_fd = -1;
static bool tried;

static void send_words(const Strings *words) {
  if (link_fd < 0 && !tried) {
    tried = true;
    link_fd = connect_socket(AGENT_SOCKET);
  }
  if (link_fd < 0) return;
  Bytes out = {0};
  frame_add_list(&out, TO_HOST_EVENT, 0, words);
  if (send(link_fd, out.data, out.length, MSG_NOSIGNAL) < 0) {
    close(link_fd);
    link_fd = -1;
  }
  bytes_free(&out);
}

void host_event(const char *topic, ...) {
  Strings words = {0};
  va_list arguments;
  va_start(arguments, topic);
  for (const char *word = topic; word; word = va_arg(arguments, const char *)) strings_add(&words, word);
  va_end(arguments);
  send_words(&words);
  strings_free(&words);
}

void host_log(const char *unit, const char *priority, const char *text) {
  static int64_t second;
  static int lines;
  int64_t now = monotonic_us() / SECOND_US;
  if (now != second) {
    second = now;
    lines = 0;
  }
  if (++lines <= LINES_A_SECOND) host_event("log", unit, priority, text, NULL);
}
