/* EXEC: commands and terminals that the host starts in the guest; see process.h. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "agent.h"
#include "frame.h"
#include "stream.h"
#include "user.h"

/* What NixOS's login shells search, for processes that read no profile. */
#define SYSTEM_PATH \
  "PATH=/run/wrappers/bin:%s/.nix-profile/bin:/etc/profiles/per-user/%s/bin:/nix/var/nix/profiles/default/bin:/run/current-system/sw/bin"

typedef struct {
  bool terminal;
  int columns, rows;
  User user;
  const char *directory;
  Strings environment;
  char **argv;
} Command;

void environment_set(Strings *environment, const char *entry) {
  size_t key = strcspn(entry, "=") + 1;
  for (size_t i = 0; i < environment->count; i++)
    if (!strncmp(environment->items[i], entry, key)) {
      free(environment->items[i]);
      environment->items[i] = copy_text(entry);
      return;
    }
  strings_add(environment, entry);
}

int terminal_open(char **slave) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), unlock = 0;
  unsigned number;
  if (master < 0) return -1;
  if (ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0) {
    close(master);
    return -1;
  }
  *slave = format_text("/dev/pts/%u", number);
  return master;
}

static void login_environment(Command *command) {
  Strings *list = &command->environment;
  User *user = &command->user;
  strings_format(list, "HOME=%s", user->home);
  strings_format(list, "USER=%s", user->name);
  strings_format(list, "LOGNAME=%s", user->name);
  strings_format(list, "SHELL=%s", user->shell);
  strings_format(list, SYSTEM_PATH, user->home, user->name);
  strings_add(list, "LANG=C.UTF-8");
  if (command->terminal) strings_add(list, "TERM=xterm-256color");
}

/* Reads the request; false when it is not one or the user does not exist. */
static bool parse_command(const Strings *request, Command *command, const char **problem) {
  *problem = "malformed EXEC";
  if (request->count < 6) return false;
  char **word = request->items;
  command->terminal = strchr(word[0], 'p') != NULL;
  command->columns = atoi(word[1]);
  command->rows = atoi(word[2]);
  size_t entries = strtoul(word[5], NULL, 10);
  if (entries > request->count - 6) return false;
  *problem = "no such user";
  if (!user_find(*word[3] ? word[3] : "root", &command->user)) return false;
  command->directory = *word[4] ? word[4] : command->user.home;
  login_environment(command);
  for (size_t i = 0; i < entries; i++) environment_set(&command->environment, word[6 + i]);
  command->argv = word + 6 + entries;
  return true;
}

static void take_terminal(const Command *command, const char *slave) {
  int fd = open(slave, O_RDWR);
  if (fd < 0) _exit(126);
  ioctl(fd, TIOCSCTTY, 0);
  if (fchown(fd, command->user.uid, command->user.gid) < 0 || fchmod(fd, 0620) < 0) complain("%s: %s", slave, strerror(errno));
  for (int i = 0; i < 3; i++) dup2(fd, i);
  if (fd > 2) close(fd);
}

static _Noreturn void execute(const Command *command) {
  if (!user_become(&command->user, NULL)) die("cannot become %s: %s", command->user.name, strerror(errno));
  if (chdir(command->directory) < 0 && chdir("/") < 0) die("/: %s", strerror(errno));
  environ = command->environment.items;
  program_name = "exec";
  if (*command->argv) {
    execvp(command->argv[0], command->argv);
    complain("%s: %s", command->argv[0], errno == ENOENT ? "not found" : strerror(errno));
    _exit(errno == ENOENT ? 127 : 126);
  }
  char *name = format_text("-%s", base_name(command->user.shell));
  execl(command->user.shell, name, (char *)NULL);
  execl("/bin/sh", "-sh", (char *)NULL);
  die("%s: %s", command->user.shell, strerror(errno));
}

static void start_on_terminal(uint32_t id, const Command *command) {
  char *slave = NULL;
  int master = terminal_open(&slave);
  struct winsize size = {.ws_col = (unsigned short)command->columns, .ws_row = (unsigned short)command->rows};
  ioctl(master, TIOCSWINSZ, &size);
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    take_terminal(command, slave);
    signals_reset();
    execute(command);
  }
  free(slave);
  Stream *stream = stream_open(id, pid, master, fcntl(master, F_DUPFD_CLOEXEC, 0), -1);
  stream->terminal = true;
}

static void start_on_pipes(uint32_t id, const Command *command) {
  int input[2], output[2], error[2];
  if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0 || pipe2(error, O_CLOEXEC) < 0) die("pipe: %s", strerror(errno));
  pid_t pid = fork();
  if (pid == 0) {
    setsid();
    dup2(input[0], 0);
    dup2(output[1], 1);
    dup2(error[1], 2);
    signals_reset();
    execute(command);
  }
  close(input[0]);
  close(output[1]);
  close(error[1]);
  stream_open(id, pid, input[1], output[0], error[0]);
}

static void refuse(uint32_t id, bool terminal, const char *problem) {
  char *text = format_text("terrarium: %s\n", problem);
  agent_send(terminal ? TO_HOST_DATA : TO_HOST_STDERR, id, text, strlen(text));
  free(text);
  Strings words = {0};
  strings_add(&words, "exit");
  strings_add(&words, "126");
  agent_send_list(TO_HOST_EXIT, id, &words);
  strings_free(&words);
}

void process_exec(uint32_t id, const Strings *request) {
  Command command = {0};
  const char *problem;
  if (!parse_command(request, &command, &problem)) {
    refuse(id, command.terminal, problem);
    return;
  }
  if (command.terminal) {
    start_on_terminal(id, &command);
  } else {
    start_on_pipes(id, &command);
  }
  user_free(&command.user);
  strings_free(&command.environment);
}
