/*
 * update-users SPEC mutable|immutable: brings /etc/passwd, /etc/group and /etc/shadow to what SPEC declares.
 *
 * SPEC has one line an account, fields separated by tabs, `-` for none:
 *   group NAME GID MEMBERS      user NAME UID GROUP DESCRIPTION HOME SHELL KIND HOME-MODE SECRET
 * Existing numbers and passwords stay. Numbers given once are remembered in /var/lib/nixos, so that an account which is removed and declared
 * again gets the same number. With `immutable` nothing stays that SPEC does not declare. Each file is written beside its place and renamed into it,
 * only when it changes. The root file system is made anew at each boot: the copies of the three files in /var/lib/nixos are their state.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applets.h"
#include "util.h"

#define STATE "/var/lib/nixos"
/* No number yet. */
#define NONE (-1L)

typedef struct {
  char *name;
  /* The line in passwd or group as it was and as it is to be; a user's password as it was, and its line in shadow likewise. NULL: none. */
  char *old, *fresh, *old_hash, *old_shadow, *fresh_shadow;
  /* The number in the file, the remembered one, the declared one; then the one it has. */
  long in_file, remembered, declared, number;
  /* SPEC declared it the last time. */
  bool was_declared;
} Account;

typedef struct {
  Account *items;
  size_t count, room;
  /* Names in the order of the file, and of the remembered numbers. */
  Strings order, memory;
} Accounts;

typedef struct {
  Accounts users, groups;
  bool mutable;
  /* `UID GID MODE DIRECTORY`, the homes to make. */
  Strings homes;
  int status;
} Update;

/* ---- accounts ---- */

static Account *account_find(const Accounts *accounts, const char *name) {
  for (size_t i = 0; i < accounts->count; i++)
    if (!strcmp(accounts->items[i].name, name)) return &accounts->items[i];
  return NULL;
}

/* The account of that name, made when there is none. Valid until the next one is made. */
static Account *account_get(Accounts *accounts, const char *name) {
  Account *account = account_find(accounts, name);
  if (account) return account;
  if (accounts->count == accounts->room) {
    accounts->room = accounts->room ? accounts->room * 2 : 32;
    accounts->items = reallocate(accounts->items, accounts->room * sizeof *accounts->items);
  }
  account = &accounts->items[accounts->count++];
  *account = (Account){.name = copy_text(name), .in_file = NONE, .remembered = NONE, .declared = NONE, .number = NONE};
  return account;
}

static bool is_used(const Accounts *accounts, long number) {
  for (size_t i = 0; i < accounts->count; i++) {
    const Account *account = &accounts->items[i];
    if (account->in_file == number || account->remembered == number || account->declared == number || account->number == number) return true;
  }
  return false;
}

static long free_number(const Accounts *accounts, long low, long high) {
  for (long number = low; number <= high; number++)
    if (!is_used(accounts, number)) return number;
  die("no free number between %ld and %ld", low, high);
}

static void give_number(Accounts *accounts, Account *account, long low, long high) {
  if (account->declared != NONE) {
    account->number = account->declared;
  } else if (account->in_file != NONE) {
    account->number = account->in_file;
  } else {
    account->number = account->remembered != NONE ? account->remembered : free_number(accounts, low, high);
  }
  account->remembered = account->number;
  strings_unique(&accounts->memory, account->name);
}

/* ---- reading ---- */

/* The lines of a file; a missing file has none. */
static Strings read_lines(const char *path) {
  Strings lines = {0};
  char *text = read_file(path, NULL);
  if (text) strings_split(&lines, text, "\n");
  free(text);
  return lines;
}

/* Cuts a line at a separator, empty fields kept; what is missing is the empty text. `fields` point into the line. */
static void cut(char *line, const char *separator, char *fields[], size_t count) {
  for (size_t i = 0; i < count; i++) {
    char *field = strsep(&line, separator);
    fields[i] = field ? field : "";
  }
}

static void read_accounts(Accounts *accounts, const char *path) {
  Strings lines = read_lines(path);
  for (size_t i = 0; i < lines.count; i++) {
    char *whole = copy_text(lines.items[i]), *fields[3];
    cut(lines.items[i], ":", fields, COUNT_OF(fields));
    Account *account = account_get(accounts, fields[0]);
    strings_unique(&accounts->order, fields[0]);
    free(account->old);
    account->old = whole;
    account->in_file = strtol(fields[2], NULL, 10);
  }
  strings_free(&lines);
}

static void read_passwords(Accounts *users) {
  Strings lines = read_lines("/etc/shadow");
  for (size_t i = 0; i < lines.count; i++) {
    char *whole = copy_text(lines.items[i]), *fields[2];
    cut(lines.items[i], ":", fields, COUNT_OF(fields));
    Account *account = account_get(users, fields[0]);
    free(account->old_shadow);
    free(account->old_hash);
    account->old_shadow = whole;
    account->old_hash = copy_text(fields[1]);
  }
  strings_free(&lines);
}

static void read_memory(Accounts *accounts, const char *numbers, const char *declared) {
  Strings lines = read_lines(numbers), names = read_lines(declared);
  for (size_t i = 0; i < lines.count; i++) {
    char *fields[2];
    cut(lines.items[i], ":", fields, COUNT_OF(fields));
    account_get(accounts, fields[0])->remembered = strtol(fields[1], NULL, 10);
    strings_unique(&accounts->memory, fields[0]);
  }
  for (size_t i = 0; i < names.count; i++) account_get(accounts, names.items[i])->was_declared = true;
  strings_free(&lines);
  strings_free(&names);
}

/* ---- what SPEC says ---- */

static const char *or_nothing(const char *field) {
  return strcmp(field, "-") ? field : "";
}

/* A number that SPEC names is nobody else's, also not before its line is reached. */
static void reserve_numbers(Update *update, const Strings *lines) {
  for (size_t i = 0; i < lines->count; i++) {
    char *line = copy_text(lines->items[i]), *fields[3];
    cut(line, "\t", fields, COUNT_OF(fields));
    Accounts *accounts = strcmp(fields[0], "user") ? &update->groups : &update->users;
    if (strcmp(fields[2], "-")) account_get(accounts, fields[1])->declared = strtol(fields[2], NULL, 10);
    free(line);
  }
}

static void declare_group(Update *update, char *line) {
  char *fields[4];
  cut(line, "\t", fields, COUNT_OF(fields));
  Account *group = account_get(&update->groups, fields[1]);
  give_number(&update->groups, group, 400, 999);
  strings_unique(&update->groups.order, group->name);
  group->fresh = format_text("%s:x:%ld:%s", group->name, group->number, or_nothing(fields[3]));
}

static _Noreturn void run_mkpasswd(const int input[2], const int output[2]) {
  dup2(input[0], 0);
  dup2(output[1], 1);
  close(input[1]);
  execlp("mkpasswd", "mkpasswd", "-m", "sha512", "-P", "0", (char *)NULL);
  die("mkpasswd: %s", strerror(errno));
}

/* As the program mkpasswd hashes it: the C library here has no crypt(3). The password is not on the command line. Owned. */
static char *hash_password(const char *plain) {
  int input[2], output[2], status;
  if (pipe2(input, O_CLOEXEC) < 0 || pipe2(output, O_CLOEXEC) < 0) die("pipe: %s", strerror(errno));
  pid_t pid = fork();
  if (pid == 0) run_mkpasswd(input, output);
  close(input[0]);
  close(output[1]);
  write_all(input[1], plain, strlen(plain));
  close(input[1]);
  char hash[256] = "";
  size_t length = 0;
  for (ssize_t count; length < sizeof hash - 1 && (count = read(output[0], hash + length, sizeof hash - 1 - length)) > 0;) length += count;
  close(output[0]);
  waitpid(pid, &status, 0);
  hash[strcspn(hash, "\n")] = 0;
  if (*hash != '$') die("a password cannot be hashed");
  return copy_text(hash);
}

static char *first_line(const char *path) {
  Strings lines = read_lines(path);
  char *line = lines.count ? copy_text(lines.items[0]) : NULL;
  strings_free(&lines);
  return line;
}

/* What SECRET makes of a user's password; NULL where nothing says so: the account is locked. Owned. */
static char *choose_hash(const Update *update, const Account *user, const char *secret) {
  const char *equals = strchr(secret, '=');
  const char *value = equals ? equals + 1 : "";
  bool initial = starts_with(secret, "initial-"), keeps = user->old_hash && (update->mutable || initial);
  if (keeps) return copy_text(user->old_hash);
  if (starts_with(secret, "hash=") || starts_with(secret, "initial-hash=")) return copy_text(value);
  if (starts_with(secret, "plain=") || starts_with(secret, "initial-plain=")) return hash_password(value);
  return starts_with(secret, "file=") ? first_line(value) : NULL;
}

static void declare_user(Update *update, char *line) {
  char *fields[10];
  cut(line, "\t", fields, COUNT_OF(fields));
  bool normal = !strcmp(fields[7], "normal");
  Account *user = account_get(&update->users, fields[1]), *group = account_find(&update->groups, fields[3]);
  give_number(&update->users, user, normal ? 1000 : 400, normal ? 29999 : 999);
  strings_unique(&update->users.order, user->name);
  long gid = group && group->number != NONE ? group->number : 65534;
  user->fresh = format_text("%s:x:%ld:%ld:%s:%s:%s", user->name, user->number, gid, or_nothing(fields[4]), fields[5], fields[6]);
  char *hash = choose_hash(update, user, fields[9]);
  user->fresh_shadow = format_text("%s:%s:1::::::", user->name, hash ? hash : "!");
  free(hash);
  if (strcmp(fields[8], "-")) strings_format(&update->homes, "%ld %ld %s %s", user->number, gid, fields[8], fields[5]);
}

static void declare(Update *update, const char *spec) {
  Strings lines = read_lines(spec);
  if (!lines.count) die("%s: %s", spec, errno ? strerror(errno) : "no accounts");
  reserve_numbers(update, &lines);
  for (size_t i = 0; i < lines.count; i++)
    if (starts_with(lines.items[i], "group\t")) declare_group(update, lines.items[i]);
  for (size_t i = 0; i < lines.count; i++)
    if (starts_with(lines.items[i], "user\t")) declare_user(update, lines.items[i]);
  strings_free(&lines);
}

/* ---- writing ---- */

/* Replaces a file unless it holds this text already. With `durable`, the text is on the host's disk before the name changes. */
static void put_file(Update *update, const char *path, const char *text, mode_t mode, bool durable) {
  size_t length;
  char *now = read_file(path, &length);
  bool same = now && length == strlen(text) && !memcmp(now, text, length);
  free(now);
  if (same) return;
  char *fresh = format_text("%s.new", path);
  unlink(fresh);
  int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  bool done = fd >= 0 && write_all(fd, text, strlen(text)) && !fchmod(fd, mode) && (!durable || !fsync(fd));
  if (fd >= 0) close(fd);
  if (!done || rename(fresh, path) < 0) {
    complain("%s: %s", path, strerror(errno));
    update->status = 1;
  }
  free(fresh);
}

static const struct {
  const char *live, *kept;
  mode_t mode;
} account_files[] = {{"/etc/group", STATE "/group", 0644}, {"/etc/shadow", STATE "/shadow", 0600}, {"/etc/passwd", STATE "/passwd", 0644}};

/* The state's copies follow what was changed on the machine, by passwd for instance. */
static void keep_files(Update *update) {
  for (size_t i = 0; i < COUNT_OF(account_files); i++) {
    char *text = read_file(account_files[i].live, NULL);
    if (text) put_file(update, account_files[i].kept, text, account_files[i].mode, true);
    free(text);
  }
}

static void restore_files(Update *update) {
  if (path_exists("/etc/passwd")) return;
  for (size_t i = 0; i < COUNT_OF(account_files); i++) {
    char *text = read_file(account_files[i].kept, NULL);
    if (text) put_file(update, account_files[i].live, text, account_files[i].mode, false);
    free(text);
  }
}

/* Whether an account that SPEC does not declare stays. */
static bool stays(const Update *update, const Account *account) {
  return update->mutable && account->old && !account->was_declared;
}

static void add_line(Bytes *text, const char *line) {
  if (line) bytes_format(text, "%s\n", line);
}

static void write_memory(Update *update, const Accounts *accounts, const char *numbers, const char *declared) {
  Bytes memory = {0}, names = {0};
  bytes_text(&memory, "");
  bytes_text(&names, "");
  for (size_t i = 0; i < accounts->memory.count; i++)
    bytes_format(&memory, "%s:%ld\n", accounts->memory.items[i], account_find(accounts, accounts->memory.items[i])->remembered);
  for (size_t i = 0; i < accounts->order.count; i++)
    if (account_find(accounts, accounts->order.items[i])->fresh) add_line(&names, accounts->order.items[i]);
  put_file(update, numbers, memory.data, 0600, false);
  put_file(update, declared, names.data, 0600, false);
  bytes_free(&memory);
  bytes_free(&names);
}

static void write_accounts(Update *update) {
  Bytes passwd = {0}, shadow = {0}, group = {0};
  for (size_t i = 0; i < update->users.order.count; i++) {
    const Account *user = account_find(&update->users, update->users.order.items[i]);
    if (user->fresh || stays(update, user)) {
      add_line(&passwd, user->fresh ? user->fresh : user->old);
      add_line(&shadow, user->fresh ? user->fresh_shadow : user->old_shadow);
    } else {
      fprintf(stderr, "removing user ‘%s’\n", user->name);
    }
  }
  for (size_t i = 0; i < update->groups.order.count; i++) {
    const Account *one = account_find(&update->groups, update->groups.order.items[i]);
    if (one->fresh || stays(update, one)) add_line(&group, one->fresh ? one->fresh : one->old);
  }
  const Bytes *texts[] = {&group, &shadow, &passwd};
  for (size_t i = 0; i < COUNT_OF(account_files); i++) put_file(update, account_files[i].live, texts[i]->data ? texts[i]->data : "", account_files[i].mode, false);
  bytes_free(&passwd);
  bytes_free(&shadow);
  bytes_free(&group);
}

static void make_homes(Update *update) {
  for (size_t i = 0; i < update->homes.count; i++) {
    char *fields[3], *rest = update->homes.items[i];
    for (size_t j = 0; j < COUNT_OF(fields); j++) fields[j] = strsep(&rest, " ");
    if (is_directory(rest)) continue;
    bool made = make_directories(rest, 0755) && !chown(rest, (uid_t)atol(fields[0]), (gid_t)atol(fields[1])) && !chmod(rest, (mode_t)strtol(fields[2], NULL, 8));
    if (made) continue;
    complain("%s: %s", rest, strerror(errno));
    update->status = 1;
  }
}

int update_users_main(int argc, char **argv) {
  if (argc != 3 || (strcmp(argv[2], "mutable") && strcmp(argv[2], "immutable"))) die("usage: update-users SPEC mutable|immutable");
  Update update = {.mutable = !strcmp(argv[2], "mutable")};
  make_directories(STATE, 0755);
  make_directories("/etc", 0755);
  restore_files(&update);
  char *applied = format_text("%s %s\n", argv[1], argv[2]), *last = read_file(STATE "/applied", NULL);
  /* Nothing to do when these very accounts were put in place last time: the result would be the files as they are. */
  bool done = update.mutable && last && !strcmp(last, applied) && path_exists("/etc/passwd");
  if (!done) {
    read_accounts(&update.users, "/etc/passwd");
    read_accounts(&update.groups, "/etc/group");
    read_passwords(&update.users);
    read_memory(&update.users, STATE "/uid-map", STATE "/declared-users");
    read_memory(&update.groups, STATE "/gid-map", STATE "/declared-groups");
    declare(&update, argv[1]);
    write_memory(&update, &update.users, STATE "/uid-map", STATE "/declared-users");
    write_memory(&update, &update.groups, STATE "/gid-map", STATE "/declared-groups");
    write_accounts(&update);
  }
  keep_files(&update);
  if (!done) {
    make_homes(&update);
    if (!update.status) put_file(&update, STATE "/applied", applied, 0600, false);
  }
  free(applied);
  free(last);
  return update.status;
}
