/* Users and groups; see user.h. */
#include "user.h"

#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool all_digits(const char *text) {
  return *text && text[strspn(text, "0123456789")] == 0;
}

bool user_find(const char *name, User *user) {
  struct passwd *entry = all_digits(name) ? getpwuid((uid_t)atol(name)) : getpwnam(name);
  if (entry) {
    const char *shell = *entry->pw_shell ? entry->pw_shell : "/bin/sh";
    *user = (User){copy_text(entry->pw_name), copy_text(entry->pw_dir), copy_text(shell), entry->pw_uid, entry->pw_gid};
    return true;
  }
  if (strcmp(name, "root") && !all_digits(name)) return false;
  uid_t uid = strcmp(name, "root") ? (uid_t)atol(name) : 0;
  *user = (User){copy_text(name), copy_text(uid ? "/" : "/root"), copy_text("/bin/sh"), uid, uid};
  return true;
}

bool group_find(const char *name, gid_t *gid) {
  struct group *entry = all_digits(name) ? NULL : getgrnam(name);
  if (!entry && !all_digits(name)) return false;
  *gid = entry ? entry->gr_gid : (gid_t)atol(name);
  return true;
}

bool user_become(const User *user, const Strings *groups) {
  gid_t list[NGROUPS_MAX < 256 ? NGROUPS_MAX : 256];
  int count = COUNT_OF(list);
  if (getgrouplist(user->name, user->gid, list, &count) < 0) count = COUNT_OF(list);
  for (size_t i = 0; groups && i < groups->count && count < (int)COUNT_OF(list); i++)
    if (group_find(groups->items[i], &list[count])) count++;
  return !setgroups(count, list) && !setresgid(user->gid, user->gid, user->gid) &&
         !setresuid(user->uid, user->uid, user->uid);
}

void user_free(User *user) {
  free(user->name);
  free(user->home);
  free(user->shell);
}
