/*
 * What a compiler does where every library has a folder of its own: the run path of a program names the folder of each shared
 * library that was linked, and the environment may add options. Included by tcc's own files.
 *
 *   NIX_CFLAGS_COMPILE   options for every compilation
 *   NIX_LDFLAGS          options for every link, after the command line's
 *   LD_RUN_PATH          folders that join the run path when a linked library lies outside the store, where it is being built
 */
#ifndef TCC_STORE_H
#define TCC_STORE_H

#include <limits.h>
#include <stdlib.h>
#include <string.h>

char *realpath(const char *path, char *resolved);

/* Adds a folder to a list that ":" separates, once. */
static inline void run_path_add(char **list, const char *folder)
{
    size_t old = *list ? strlen(*list) : 0, new = strlen(folder);
    char *at = *list;
    while (at && (at = strstr(at, folder))) {
        if ((at == *list || at[-1] == ':') && (at[new] == 0 || at[new] == ':')) return;
        at += new;
    }
    *list = tcc_realloc(*list, old + new + 2);
    if (old) (*list)[old++] = ':';
    strcpy(*list + old, folder);
}

static inline void run_path_of_library(char **list, const char *library)
{
    char resolved[PATH_MAX], *slash;
    if (!realpath(library, resolved)) return;
    if (strncmp(resolved, "/nix/store/", 11) != 0) {
        if (getenv("LD_RUN_PATH")) run_path_add(list, getenv("LD_RUN_PATH"));
        return;
    }
    slash = strrchr(resolved, '/');
    *slash = 0;
    run_path_add(list, resolved);
}

#endif
