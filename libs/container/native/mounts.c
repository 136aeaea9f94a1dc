#include "mounts.h"
#include "mount_api.h"
#include "step.h"

#include <linux/securebits.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

/* An image must not choose where our mounts land: targets are resolved below its root, and a link on the way is
 * refused. */
#define INSIDE (RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)
#define FENCED (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

int open_inside(int root, const char *path) {
  return sys_openat2(root, path, O_PATH | O_CLOEXEC, INSIDE);
}

void place(int tree, int root, const char *target, const char *step) {
  if (tree < 0) refuse(step);
  int at = open_inside(root, target);
  STEP(step, at);
  STEP(step, sys_move_mount(tree, at, ""));
  close(at);
  close(tree);
}

static int clone_tree(int dir, const char *path) {
  return sys_open_tree(dir, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? 0 : AT_EMPTY_PATH));
}

/* Whoever makes something where ids are the box's must be somebody there: its root, with all of our power. */
static void become_root_of(unsigned base) {
  STEP("keep power", prctl(PR_SET_SECUREBITS, base ? SECBIT_NO_SETUID_FIXUP : 0));
  setfsgid(base);
  setfsuid(base);
}
static void become_ourselves(void) {
  int error = errno;
  setfsuid(0);
  setfsgid(0);
  STEP("keep power", prctl(PR_SET_SECUREBITS, 0));
  errno = error;
}

/* overlayfs does its work in the upper folder as who mounted it. */
static int mount_overlay_as(unsigned base, const char *at, unsigned long flags, const char *options) {
  become_root_of(base);
  int result = mount("overlay", at, "overlay", flags, options);
  become_ourselves();
  return result;
}

/* Folders on the way to a target, and it itself, where they are missing; a link is no way. */
static int make_target(int root, const char *target, int is_folder, unsigned base) {
  char name[256];
  int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
  while (at >= 0 && *target) {
    const char *end = strchrnul(target, '/');
    if (end == target) {
      target++;
      continue;
    }
    if (end - target >= (long)sizeof name) return errno = ENAMETOOLONG, -1;
    snprintf(name, sizeof name, "%.*s", (int)(end - target), target);
    target = end;
    int next = sys_openat2(at, name, O_PATH | O_CLOEXEC, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    if (next < 0 && errno == ENOENT) {
      become_root_of(base);
      int made = *end || is_folder ? mkdirat(at, name, 0755) : mknodat(at, name, S_IFREG | 0644, 0);
      become_ourselves();
      if (made == 0) next = sys_openat2(at, name, O_PATH | O_CLOEXEC, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
    }
    int error = errno;
    close(at);
    errno = error;
    at = next;
  }
  return at;
}

/* A host file or folder. Where its owners are numbers of the box, what the box makes in it is so, too. */
static int bind_tree(const struct box_mount *wanted, const struct ids *ids) {
  int tree = clone_tree(AT_FDCWD, wanted->source);
  STEP("open mount's source", tree);
  uint64_t flags = FENCED | (wanted->readonly ? MOUNT_ATTR_RDONLY : 0) | (wanted->own_ids ? MOUNT_ATTR_IDMAP : 0);
  STEP("mount's flags and ids", sys_mount_setattr(tree, flags, wanted->own_ids ? ids->userns : -1));
  return tree;
}

/* The folder that keeps what is written over layers, at <name>/d, with the box's ids. */
static void mount_upper(const struct box_mount *wanted, const char *name, const struct ids *ids) {
  char at[32];
  snprintf(at, sizeof at, "%s/d", name);
  STEP("mount's writable folder", mkdir(at, 0700));
  int tree = clone_tree(AT_FDCWD, wanted->upper);
  STEP("open mount's writable folder", tree);
  STEP("mount's flags and ids", sys_mount_setattr(tree, FENCED | MOUNT_ATTR_IDMAP, ids->userns));
  STEP("mount writable folder of a mount", sys_move_mount(tree, AT_FDCWD, at));
  close(tree);
}

/* A place in a stack of layers, over each other as an image's are. */
static int layers_tree(const struct request *request, const struct box_mount *wanted, const char *name,
                       const struct ids *ids) {
  char options[4096], part[40];
  size_t used = (size_t)snprintf(options, sizeof options, "lowerdir=");
  STEP("mount's folder", mkdir(name, 0700));
  for (size_t i = 0; i < wanted->count; i++) {
    snprintf(part, sizeof part, "%s/%zu", name, i);
    mount_layer(request->mount_layers[wanted->first + i], part, ids->userns, ids->idmap);
    used += (size_t)snprintf(options + used, sizeof options - used, "%s:", part);
  }
  /* overlayfs wants two layers where there is nothing to write to, and one in any case. */
  static const char *const empty[] = {"e", "f"};
  for (size_t i = 0; i < (wanted->count ? 1 : 2); i++) {
    snprintf(part, sizeof part, "%s/%s", name, empty[i]);
    STEP("empty layer", mkdir(part, 0755));
    STEP("empty layer's owner", chown(part, ids->base, ids->base));
    used += (size_t)snprintf(options + used, sizeof options - used, "%s%s", i ? ":" : "", part);
  }
  if (wanted->upper) {
    mount_upper(wanted, name, ids);
    used += (size_t)snprintf(options + used, sizeof options - used, ",upperdir=%s/d/u,workdir=%s/d/w", name, name);
  }
  snprintf(options + used, sizeof options - used, ",redirect_dir=nofollow,metacopy=off,index=off,nfs_export=off");
  snprintf(part, sizeof part, "%s/m", name);
  STEP("mount's folder", mkdir(part, 0700));
  const unsigned long flags = MS_NOSUID | MS_NODEV | (wanted->upper ? 0 : MS_RDONLY);
  STEP("mount layers", mount_overlay_as(ids->base, part, flags, options));
  int root = open(part, O_PATH | O_DIRECTORY | O_CLOEXEC);
  STEP("open mount", root);
  int at = open_inside(root, wanted->source);
  STEP("open mount's source (it must be in the layers)", at);
  int tree = clone_tree(at, "");
  STEP("open mount's source", tree);
  if (wanted->readonly) STEP("mount's flags", sys_mount_setattr(tree, FENCED | MOUNT_ATTR_RDONLY, -1));
  close(at);
  close(root);
  return tree;
}

static int tmpfs_tree(const struct box_mount *wanted, const char *name, const struct ids *ids) {
  char options[160];
  unsigned long long size = wanted->size, inodes = size / 4096 < 4096 ? 4096 : size / 4096;
  snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=%o,uid=%u,gid=%u", size, inodes, wanted->mode,
           ids->base + wanted->uid, ids->base + wanted->gid);
  STEP("tmpfs's folder", mkdir(name, 0700));
  STEP("mount tmpfs", mount("mayfly", name, "tmpfs", MS_NOSUID | MS_NODEV, options));
  int tree = clone_tree(AT_FDCWD, name);
  STEP("open tmpfs", tree);
  return tree;
}

/* The bytes of a file, in memory, owned as is asked for: the file itself is never seen. */
static int copied_tree(const struct box_mount *wanted, const char *name, const struct ids *ids) {
  int from = open(wanted->source, O_RDONLY | O_CLOEXEC);
  STEP("open file to copy", from);
  int to = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  STEP("make copy", to);
  ssize_t sent;
  while ((sent = sendfile(to, from, NULL, 1 << 20)) > 0) {
  }
  STEP("copy file", (int)sent);
  STEP("copy's owner", fchown(to, ids->base + wanted->uid, ids->base + wanted->gid));
  STEP("copy's mode", fchmod(to, wanted->mode));
  close(from);
  close(to);
  int tree = clone_tree(AT_FDCWD, name);
  STEP("open copy", tree);
  STEP("copy's flags", sys_mount_setattr(tree, FENCED | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC, -1));
  return tree;
}

void mount_besides(const struct request *request, size_t i, int root, const struct ids *ids) {
  const struct box_mount *wanted = &request->mounts[i];
  char name[16];
  snprintf(name, sizeof name, "b%zu", i);
  int tree = wanted->kind == MOUNT_BIND     ? bind_tree(wanted, ids)
             : wanted->kind == MOUNT_LAYERS ? layers_tree(request, wanted, name, ids)
             : wanted->kind == MOUNT_TMPFS  ? tmpfs_tree(wanted, name, ids)
                                            : copied_tree(wanted, name, ids);
  const char *step = "place mount (its target must be in the image)";
  if (!wanted->make) {
    place(tree, root, wanted->target + 1, step);
    return;
  }
  struct stat is;
  STEP(step, fstat(tree, &is));
  int at = make_target(root, wanted->target, S_ISDIR(is.st_mode), ids->base);
  STEP("make mount's target", at);
  STEP(step, sys_move_mount(tree, at, ""));
  close(at);
  close(tree);
}
