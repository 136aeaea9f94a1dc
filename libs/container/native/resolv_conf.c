#include "resolv_conf.h"
#include "mount_api.h"
#include "step.h"

#include <sys/stat.h>

#define PLAIN (RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

static int open_etc(int root, unsigned owner) {
  if (mkdirat(root, "etc", 0755) == 0) STEP("owner of /etc", fchownat(root, "etc", owner, owner, AT_SYMLINK_NOFOLLOW));
  int etc = sys_openat2(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC, PLAIN);
  STEP("enter /etc (it must be an ordinary folder of the image)", etc);
  return etc;
}

static int open_place(int etc, unsigned owner) {
  struct stat is;
  int at = sys_openat2(etc, "resolv.conf", O_PATH | O_CLOEXEC, PLAIN);
  if (at >= 0 && fstat(at, &is) == 0 && S_ISREG(is.st_mode)) return at;
  if (at >= 0) close(at);
  if (unlinkat(etc, "resolv.conf", 0) < 0 && errno != ENOENT) refuse("make room for /etc/resolv.conf");
  STEP("make /etc/resolv.conf", mknodat(etc, "resolv.conf", S_IFREG | 0644, 0));
  STEP("owner of /etc/resolv.conf", fchownat(etc, "resolv.conf", owner, owner, AT_SYMLINK_NOFOLLOW));
  return sys_openat2(etc, "resolv.conf", O_PATH | O_CLOEXEC, PLAIN);
}

void mount_resolv_conf(int root, const char *source, unsigned owner) {
  int etc = open_etc(root, owner);
  int at = open_place(etc, owner);
  STEP("open /etc/resolv.conf", at);
  int tree = sys_open_tree(AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  STEP("open resolv.conf", tree);
  const uint64_t flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
  STEP("resolv.conf's flags", sys_mount_setattr(tree, flags, -1));
  STEP("place /etc/resolv.conf", sys_move_mount(tree, at, ""));
  close(tree);
  close(at);
  close(etc);
}
