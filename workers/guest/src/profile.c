/* PROFILE: the links of /nix/var/nix/profiles; see profile.h. */
#include "profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIRECTORY "/nix/var/nix/profiles"

typedef struct Profile {
  struct Profile *next;
  Strings request;
} Profile;

static Profile *profiles;

static bool wanted(const Strings *request, const char *link) {
  for (size_t i = 1; i + 1 < request->count; i += 2)
    if (!strcmp(request->items[i], link)) return true;
  return false;
}

/* `system` and `system-12-link` are links of the profile `system`. */
static bool belongs(const char *profile, const char *link) {
  size_t length = strlen(profile);
  if (strncmp(link, profile, length)) return false;
  const char *rest = link + length;
  return !*rest || (*rest == '-' && ends_with(rest, "-link") && rest[1 + strspn(rest + 1, "0123456789")] == '-');
}

static void remove_stale(const char *directory, const Strings *request) {
  DIR *entries = opendir(directory);
  if (!entries) return;
  for (struct dirent *entry; (entry = readdir(entries));) {
    if (!belongs(request->items[0], entry->d_name) || wanted(request, entry->d_name)) continue;
    char *path = format_text("%s/%s", directory, entry->d_name);
    unlink(path);
    free(path);
  }
  closedir(entries);
}

/* The profile's own link goes last: at no moment does it point to a generation that is not there. */
static void write_links(const char *directory, const Strings *request) {
  for (int pass = 0; pass < 2; pass++)
    for (size_t i = 1; i + 1 < request->count; i += 2) {
      bool own = !strcmp(request->items[i], request->items[0]);
      if (own != (pass == 1)) continue;
      char *path = format_text("%s/%s", directory, request->items[i]);
      if (!replace_link(request->items[i + 1], path)) complain("%s: %s", path, strerror(errno));
      free(path);
    }
  remove_stale(directory, request);
}

static Profile *find(const char *name) {
  for (Profile *profile = profiles; profile; profile = profile->next)
    if (!strcmp(profile->request.items[0], name)) return profile;
  Profile *profile = allocate(sizeof *profile);
  profile->next = profiles;
  return profiles = profile;
}

void profile_set(const Strings *request) {
  if (!request->count) return;
  Profile *profile = find(request->items[0]);
  strings_free(&profile->request);
  for (size_t i = 0; i < request->count; i++) strings_add(&profile->request, request->items[i]);
  if (is_directory(DIRECTORY)) write_links(DIRECTORY, request);
}

void profile_write_all(const char *root) {
  char *directory = format_text("%s" DIRECTORY, root);
  make_directories(directory, 0755);
  for (Profile *profile = profiles; profile; profile = profile->next) write_links(directory, &profile->request);
  free(directory);
}
