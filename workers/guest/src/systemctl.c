/* systemctl: passes its words to the supervisor and prints the answer; see systemctl.h and control.c. */
#include "systemctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applets.h"
#include "control.h"
#include "frame.h"

static void take_text(Bytes *kept, int fd, const Frame *frame) {
  if (kept) {
    bytes_add(kept, frame->payload, frame->length);
  } else {
    write_all(fd, frame->payload, frame->length);
  }
}

int systemctl_call(const Strings *words, Bytes *out, Bytes *error) {
  int fd = connect_socket(CONTROL_SOCKET), status = 1;
  if (fd < 0) die("Failed to connect to the supervisor: %s", strerror(errno));
  Bytes buffer = {0};
  size_t used = 0;
  Frame frame;
  bool over = !frame_send_list(fd, CONTROL_CALL, 0, words);
  while (!over && frame_receive(fd, &buffer, &used, &frame)) {
    if (frame.type == CONTROL_OUTPUT) take_text(out, 1, &frame);
    if (frame.type == CONTROL_ERROR) take_text(error, 2, &frame);
    if (frame.type != CONTROL_EXIT) continue;
    Strings list = {0};
    frame_list(&frame, &list);
    status = list.count ? atoi(list.items[0]) : 1;
    strings_free(&list);
    over = true;
  }
  close(fd);
  bytes_free(&buffer);
  return status;
}

int systemctl_words(Bytes *out, Bytes *error, const char *verb, ...) {
  Strings words = {0};
  va_list arguments;
  va_start(arguments, verb);
  for (const char *word = verb; word; word = va_arg(arguments, const char *)) strings_add(&words, word);
  va_end(arguments);
  int status = systemctl_call(&words, out, error);
  strings_free(&words);
  return status;
}

int systemctl_main(int argc, char **argv) {
  Strings words = {0};
  for (int i = 1; i < argc; i++) strings_add(&words, argv[i]);
  if (isatty(1)) strings_add(&words, "--color");
  return systemctl_call(&words, NULL, NULL);
}

int power_main(int argc, char **argv) {
  const char *name = base_name(argv[0]);
  bool reboot = !strcmp(name, "reboot");
  for (int i = 1; i < argc && !strcmp(name, "shutdown"); i++) reboot |= !strcmp(argv[i], "-r");
  return systemctl_words(NULL, NULL, reboot ? "reboot" : "poweroff", NULL);
}
