/* set-link TARGET PATH: makes PATH a symbolic link to TARGET, its parents too, by rename: nobody sees it missing. A link that is right is left alone. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "applets.h"
#include "util.h"

int set_link_main(int argc, char **argv) {
  if (argc != 3) die("usage: set-link TARGET PATH");
  const char *target = argv[1], *path = argv[2];
  char *now = read_link(path);
  bool same = now && !strcmp(now, target);
  free(now);
  if (same) return 0;
  char *parent = copy_span(path, (size_t)(base_name(path) - path));
  if (*parent) make_directories(parent, 0755);
  free(parent);
  if (!replace_link(target, path)) die("%s: %s", path, strerror(errno));
  return 0;
}
