#include "root.h"
#include "fail.h"
#include "syscalls.h"

#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>

void root_begin(const char *over) {
  if (unshare(CLONE_NEWNS) < 0) fail("a mount namespace of its own", over);
  if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) fail("private mounts", over);
}

void root_cover(const char *over, const char *mode) {
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
  char options[64];
  snprintf(options, sizeof options, "size=1m,nr_inodes=2048,mode=%s", mode);
  if (mount("mayfly", over, "tmpfs", flags, options) < 0) fail("an empty root", over);
  if (chdir(over) < 0) fail("entering the empty root", over);
}

void root_leave_host(void) {
  if (sys_pivot_root(".", ".") < 0) fail("pivot_root", "");
  if (umount2(".", MNT_DETACH) < 0) fail("dropping the host's root", "");
  if (chdir("/") < 0) fail("entering the root", "");
}
