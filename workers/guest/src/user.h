/* Users as /etc/passwd and /etc/group have them, and becoming one. */
#ifndef USER_H
#define USER_H

#include "util.h"

typedef struct {
  char *name, *home, *shell;
  uid_t uid;
  gid_t gid;
} User;

/* By name or number; false when there is none. Root exists even without /etc/passwd. */
bool user_find(const char *name, User *user);
/* A group's number, by name or number. */
bool group_find(const char *name, gid_t *gid);
/* Takes the groups, group and user for good. `groups` are additional ones by name. False with errno. */
bool user_become(const User *user, const Strings *groups);
void user_free(User *user);

#endif
