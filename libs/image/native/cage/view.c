#include "view.h"
#include "../fail.h"
#include "../root.h"
#include "../syscalls.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* Libraries; how names are looked up; certificates; what randomness and nothing are read from. What a host lacks is
 * left out. */
static const char *const always[] = {
    "/usr/lib",
    "/usr/lib64",
    "/lib",
    "/lib64",
    "/etc/ld.so.cache",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/ssl",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
};
static const char *const devices[] = {"/dev/null", "/dev/urandom", "/dev/random"};

static void make_parents(const char *path) {
  char parent[PATH_MAX];
  if (snprintf(parent, sizeof parent, "%s", path) >= PATH_MAX) refuse("a path is too long", path);
  for (char *slash = strchr(parent, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (mkdir(parent, 0755) < 0 && errno != EEXIST) fail("a mount point", path);
    *slash = '/';
  }
}

/* A link of the host's root, as /lib is one, is the same link here. */
static int copied_link(const char *path, const char *here) {
  char target[PATH_MAX];
  ssize_t length = readlink(path, target, sizeof target - 1);
  if (length < 0 || strncmp(path, "/lib", 4)) return 0;
  target[length] = 0;
  if (symlink(target, here) < 0) fail("a link", path);
  return 1;
}

static void show(const char *path, uint64_t flags) {
  const char *here = path + 1;
  struct stat known;
  if (path[0] != '/') refuse("a path is not absolute", path);
  make_parents(here);
  if (lstat(here, &known) == 0 || copied_link(path, here)) return;
  int mount = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (mount < 0 && errno == ENOENT) return;
  if (mount < 0 || fstat(mount, &known) < 0) fail("opening", path);
  if (sys_mount_setattr(mount, flags) < 0) fail("mount flags", path);
  int made = S_ISDIR(known.st_mode) ? mkdir(here, 0755) : mknod(here, S_IFREG | 0444, 0);
  if (made < 0) fail("a mount point", path);
  if (sys_move_mount(mount, here) < 0) fail("mounting", path);
  close(mount);
}

void view_enter(char **paths, size_t count, const char *program) {
  const uint64_t harmless = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID;
  root_begin(program);
  root_cover("/proc", "0755");
  for (size_t i = 0; i < count; i++)
    show(paths[i], harmless | MOUNT_ATTR_NODEV);
  for (size_t i = 0; i < sizeof always / sizeof *always; i++)
    show(always[i], harmless | MOUNT_ATTR_NODEV);
  show(program, harmless | MOUNT_ATTR_NODEV);
  for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
    show(devices[i], harmless | MOUNT_ATTR_NOEXEC);
  root_leave_host();
  int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0 || sys_mount_setattr(root, harmless | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC) < 0)
    fail("a root that cannot be written", "");
  close(root);
}
