/* Stage 1: the file systems of the initramfs, the host's file system, and the way into stage 2. */
#ifndef BOOT_H
#define BOOT_H

#include "util.h"

/* The kernel's own file systems and the settings every machine has. Ends with everything stage 1 needs mounted. */
void boot_prepare(void);
/* Mounts the host file system at /host if it is not; NULL, or what is wrong. */
const char *boot_mount_host(void);
/* Unmounts and mounts it again: nothing that was read before is remembered. */
const char *boot_remount_host(void);
/* Sets the clock to `seconds` since 1970. */
void boot_set_clock(const char *seconds);
/*
 * Carries out BOOT up to the fork: clock, mounts, new root. Afterwards `/` is the root of stage 2. False when the machine cannot go
 * on in this way (told to the host as `boot failed`).
 */
bool boot_enter(const Strings *request);
/* In PID 1, after the fork: executes TOPLEVEL/init. */
_Noreturn void boot_execute(const Strings *request);

#endif
