#include "world.h"
#include "fail.h"
#include "root.h"
#include "syscalls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

int world_fd = -1;
int tree_fd = -1;
size_t world_layers;

static const uint64_t harmless = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;

/* A mount of its own: `..` of its root leads nowhere, and no device of a layer can be opened through it. */
static int clone_of(const char *path, uint64_t flags, unsigned follow) {
  int mount = sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | follow);
  if (mount >= 0 && sys_mount_setattr(mount, flags) < 0) fail("a layer's mount flags", path);
  return mount;
}

static void place(int mount, const char *at, const char *path) {
  if (mkdir(at, 0700) < 0) fail("a mount point", path);
  if (sys_move_mount(mount, at) < 0) fail("mounting", path);
  close(mount);
}

static void place_layers(char **layers, size_t count) {
  if (mkdir("l", 0700) < 0) fail("a mount point", "");
  for (size_t i = 0; i < count; i++) {
    char at[32];
    snprintf(at, sizeof at, "l/%zu", i);
    int mount = clone_of(layers[i], harmless | MOUNT_ATTR_RDONLY, AT_SYMLINK_NOFOLLOW);
    if (mount < 0) fail("opening a lower layer", layers[i]);
    place(mount, at, layers[i]);
  }
  world_layers = count;
}

static void leave_host(void) {
  root_leave_host();
  world_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (world_fd < 0) fail("opening the root", "");
}

void world_enter(const char *tree, char **layers, size_t count, enum world_access access) {
  root_begin(tree);
  /* What is read may be named through /proc; what is written to must be where it is said to be. */
  int mount = access == WORLD_READ ? clone_of(tree, harmless | MOUNT_ATTR_RDONLY, 0)
                                   : clone_of(tree, harmless, AT_SYMLINK_NOFOLLOW);
  /* The writable layer of a living box lies in another mount namespace: it can be opened but not be mounted again. */
  int foreign = mount < 0 && errno == EINVAL && access == WORLD_READ;
  if (foreign) tree_fd = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (foreign ? tree_fd < 0 : mount < 0) fail("opening the tree", tree);
  root_cover(foreign ? "/proc" : tree, "0700");
  place_layers(layers, count);
  if (!foreign) place(mount, "tree", tree);
  leave_host();
  if (!foreign) tree_fd = open("/tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tree_fd < 0) fail("opening the tree", tree);
}

/* Layers by the shortest names: the kernel takes one page of options, and 500 layers. */
static void mount_merged(size_t count) {
  char options[4096] = "lowerdir=";
  size_t used = strlen(options);
  for (size_t i = 0; i < count && used < sizeof options; i++)
    used += (size_t)snprintf(options + used, sizeof options - used, i ? ":%zu" : "%zu", i);
  if (used >= sizeof options) refuse("more layers than can be mounted at once", "");
  if (chdir("l") < 0) fail("entering the layers", "");
  const unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (mount("overlay", "../tree", "overlay", flags, options) < 0) fail("mounting the layers together", "");
  if (chdir("..") < 0) fail("leaving the layers", "");
}

void world_enter_merged(char **layers, size_t count) {
  if (count == 1) return world_enter(layers[0], NULL, 0, WORLD_READ);
  root_begin(layers[0]);
  root_cover("/proc", "0700");
  place_layers(layers, count);
  if (mkdir("tree", 0700) < 0) fail("a mount point", "");
  mount_merged(count);
  leave_host();
  tree_fd = open("/tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tree_fd < 0) fail("opening the layers together", "");
}
