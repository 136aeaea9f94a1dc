#include "mount_api.h"
#include "rootfs.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void must(const char *what, int result) {
  if (result >= 0) return;
  fprintf(stderr, "launcher: %s: %m\n", what);
  exit(71);
}

static void node(const char *dir, const char *name, unsigned major, unsigned minor) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  must(path, mknod(path, S_IFCHR | 0666, makedev(major, minor)));
  must(path, chmod(path, 0666));
}

static void link_to(const char *dir, const char *name, const char *target) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  must(path, symlink(target, path));
}

static void folder(const char *dir, const char *name) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", dir, name);
  must(path, mkdir(path, 0755));
}

static void seal(const char *path) {
  must(path, mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NOEXEC, NULL));
}

/* The devices that the OCI runtime spec calls default, without /dev/console. Only a box with a terminal has anything in
 * /dev/pts. */
static void fill_dev(const char *dev) {
  node(dev, "null", 1, 3);
  node(dev, "zero", 1, 5);
  node(dev, "full", 1, 7);
  node(dev, "random", 1, 8);
  node(dev, "urandom", 1, 9);
  node(dev, "tty", 5, 0);
  link_to(dev, "fd", "/proc/self/fd");
  link_to(dev, "stdin", "/proc/self/fd/0");
  link_to(dev, "stdout", "/proc/self/fd/1");
  link_to(dev, "stderr", "/proc/self/fd/2");
  link_to(dev, "ptmx", "pts/ptmx");
  folder(dev, "shm");
  folder(dev, "pts");
}

void workshop_open(struct workshop *workshop, const char *run_dir) {
  must("a mount namespace of our own", unshare(CLONE_NEWNS));
  must("making mounts private", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  char base[200];
  must("run folder's path is too long",
       snprintf(base, sizeof base, "%s/workshop", run_dir) < (int)sizeof base ? 0 : -1);
  if (mkdir(base, 0700) < 0 && errno != EEXIST) must(base, -1);
  /* One tmpfs holds the workshop; it lives in our namespace only and goes with it. */
  must("the workshop's tmpfs", mount("mayfly", base, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=256k,mode=0700"));
  snprintf(workshop->scratch, sizeof workshop->scratch, "%s/box", base);
  snprintf(workshop->dev, sizeof workshop->dev, "%s/dev", base);
  snprintf(workshop->empty, sizeof workshop->empty, "%s/empty", base);
  must(workshop->scratch, mkdir(workshop->scratch, 0700));
  must(workshop->dev, mkdir(workshop->dev, 0755));
  must(workshop->empty, mkdir(workshop->empty, 0555));
  must("the template of /dev",
       mount("mayfly-dev", workshop->dev, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k,mode=0755"));
  fill_dev(workshop->dev);
  seal(workshop->dev);
  must("the empty folder",
       mount("mayfly-empty", workshop->empty, "tmpfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, "size=4k,mode=0555"));
  seal(workshop->empty);
}
