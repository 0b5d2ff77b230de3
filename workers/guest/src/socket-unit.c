/* Socket units; see socket-unit.h. */
#include "socket-unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "jobs.h"
#include "journal.h"
#include "manager.h"
#include "user.h"

enum { SOCKETS_MOST = 8 };

struct Socket {
  int descriptors[SOCKETS_MOST];
  Watch *watches[SOCKETS_MOST];
  size_t count;
};

static const char *get(const Unit *unit, const char *key) {
  return unit_file_get(&unit->file, "Socket", key);
}

static int listen_unix(const Unit *unit, const char *path, int type) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, path, sizeof address.sun_path - 1);
  char *directory = copy_span(path, base_name(path) - path);
  make_directories(directory, 0755);
  free(directory);
  unlink(path);
  int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return close(fd), -1;
  const char *mode = get(unit, "SocketMode"), *user_name = get(unit, "SocketUser"), *group = get(unit, "SocketGroup");
  User user = {.uid = 0};
  gid_t gid = 0;
  chmod(path, mode ? (mode_t)strtol(mode, NULL, 8) : 0666);
  if (user_name) user_find(user_name, &user);
  if (group) group_find(group, &gid);
  if (chown(path, user.uid, gid) < 0) complain("%s: %s", path, strerror(errno));
  return fd;
}

/* `8080` or `127.0.0.1:8080`. */
static int listen_inet(const char *text, int type) {
  const char *colon = strrchr(text, ':');
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon ? colon + 1 : text))};
  char *host = colon ? copy_span(text, colon - text) : copy_text("0.0.0.0");
  bool valid = inet_pton(AF_INET, host, &address.sin_addr) == 1;
  free(host);
  errno = EINVAL;
  int fd = valid ? socket(AF_INET, type | SOCK_CLOEXEC, 0) : -1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) return close(fd), -1;
  return fd;
}

static void called(void *owner, short events) {
  (void)events;
  Unit *unit = owner, *service = unit_get(unit->dependencies[DEP_TRIGGERS].items[0]);
  char *problem = NULL;
  /* The service takes the caller; until it has ended nobody is waited for here. */
  for (size_t i = 0; i < unit->socket->count; i++) watch_events(unit->socket->watches[i], 0);
  unit_set_state(unit, STATE_ACTIVE, "running");
  if (!job_request(service, JOB_START, NULL, &problem)) journal_format(unit->name, PRIORITY_WARNING, "%s: %s", unit->name, problem);
  free(problem);
}

static bool open_all(Unit *unit, const char *key, int type) {
  Strings addresses = unit_file_all(&unit->file, "Socket", key);
  Socket *sockets = unit->socket;
  bool done = true;
  for (size_t i = 0; i < addresses.count && done && sockets->count < SOCKETS_MOST; i++) {
    const char *text = addresses.items[i], *backlog = get(unit, "Backlog");
    int fd = *text == '/' ? listen_unix(unit, text, type) : listen_inet(text, type);
    done = fd >= 0 && (type == SOCK_DGRAM || !listen(fd, backlog ? atoi(backlog) : 128));
    if (!done) {
      journal_format(unit->name, PRIORITY_ERROR, "%s: Failed to create listening socket (%s): %s", unit->name, text, strerror(errno));
      break;
    }
    sockets->descriptors[sockets->count] = fd;
    sockets->watches[sockets->count++] = watch_add(fd, EPOLLIN, called, unit);
  }
  free(addresses.items);
  return done;
}

static void close_all(Unit *unit) {
  for (size_t i = 0; i < unit->socket->count; i++) {
    watch_remove(unit->socket->watches[i]);
    close(unit->socket->descriptors[i]);
  }
  unit->socket->count = 0;
}

void socket_start(Unit *unit) {
  if (!unit->socket) unit->socket = allocate(sizeof *unit->socket);
  if (unit_file_bool(&unit->file, "Socket", "Accept", false)) {
    journal_format(unit->name, PRIORITY_ERROR, "%s: Accept=yes is not known to this supervisor.", unit->name);
  } else if (open_all(unit, "ListenStream", SOCK_STREAM) && open_all(unit, "ListenDatagram", SOCK_DGRAM)) {
    unit->result = "success";
    unit_set_state(unit, STATE_ACTIVE, "listening");
    manager_status("OK", "Listening on %s.", unit_description(unit));
    journal_format(unit->name, PRIORITY_INFO, "Listening on %s.", unit_description(unit));
    job_finish(unit, RESULT_DONE);
    return;
  }
  close_all(unit);
  unit->result = "resources";
  unit_set_state(unit, STATE_FAILED, "failed");
  job_finish(unit, RESULT_FAILED);
}

void socket_stop(Unit *unit) {
  close_all(unit);
  unit_set_state(unit, STATE_INACTIVE, "dead");
  journal_format(unit->name, PRIORITY_INFO, "Closed %s.", unit_description(unit));
  job_finish(unit, RESULT_DONE);
}

size_t socket_descriptors(const Unit *service, const int **descriptors) {
  for (const Unit *unit = units; unit; unit = unit->next) {
    if (!unit->socket || !unit->socket->count || !unit_depends(unit, DEP_TRIGGERS, service)) continue;
    *descriptors = unit->socket->descriptors;
    return unit->socket->count;
  }
  return 0;
}

void sockets_rearm(void) {
  for (Unit *unit = units; unit; unit = unit->next) {
    if (!unit->socket || !unit->socket->count || strcmp(unit->sub, "running")) continue;
    const Unit *service = unit_get(unit->dependencies[DEP_TRIGGERS].items[0]);
    if (service->job != JOB_NONE || (service->active != STATE_INACTIVE && service->active != STATE_FAILED)) continue;
    for (size_t i = 0; i < unit->socket->count; i++) watch_events(unit->socket->watches[i], EPOLLIN);
    unit_set_state(unit, STATE_ACTIVE, "listening");
  }
}
