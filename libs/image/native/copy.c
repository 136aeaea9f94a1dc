#include "copy.h"
#include "attributes.h"
#include "fail.h"
#include "record.h"
#include "syscalls.h"
#include "later.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

/* Attributes of the open folder or file `from`; those of overlayfs stay where they are. */
static void copy_xattrs(int from, int to, const char *path) {
  static char names[65536], value[65536];
  ssize_t length = flistxattr(from, names, sizeof names);
  if (length < 0 && errno == ENOTSUP) return;
  if (length < 0) fail("listing attributes", path);
  for (const char *name = names; name < names + length; name += strlen(name) + 1) {
    if (!strncmp(name, "trusted.", 8)) continue;
    ssize_t size = fgetxattr(from, name, value, sizeof value);
    if (size >= 0 && !strcmp(name, DEFAULT_ACL)) {
      later_default_acl(path, value, (size_t)size);
      continue;
    }
    if (size < 0 || fsetxattr(to, name, value, (size_t)size, 0) < 0) fail("copying an attribute", path);
  }
}

static void copy_owner_and_mode(int to, const struct stat *like, const char *path) {
  if (fchown(to, like->st_uid, like->st_gid) < 0 || fchmod(to, like->st_mode & 07777) < 0)
    fail("copying owner and mode", path);
}

/* `from`: in the world, or NULL. `path`: of the folder `to`. */
static void copy_looks(const char *from, const struct stat *stat, int to, const char *path) {
  copy_owner_and_mode(to, stat, path);
  if (from) {
    int fd = open_beneath(world_fd, from, O_RDONLY | O_DIRECTORY);
    if (fd < 0) fail("opening a folder of a lower layer", path);
    copy_xattrs(fd, to, path);
    close(fd);
  }
  later_time(path, stat->st_mtim);
}

void copy_directory(const struct lower *like, int folder, const char *name, const char *path) {
  static const struct stat plain = {.st_mode = 0755};
  const struct stat *stat = like ? &like->stat : &plain;
  if (mkdirat(folder, name, 0700) < 0) fail("making a folder that the layer implies", path);
  int to = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (to < 0) fail("opening a folder that the layer implies", path);
  copy_looks(like ? like->path : NULL, stat, to, path);
  close(to);
}

void copy_root(void) {
  struct stat stat;
  if (fstatat(world_fd, "l/0", &stat, AT_SYMLINK_NOFOLLOW) < 0) fail("looking at the root of a lower layer", "");
  copy_looks("l/0", &stat, tree_fd, "");
}

static void copy_file(const struct lower *from, int folder, const char *name, const struct timespec *times) {
  static char bytes[256 * 1024];
  int in = open_beneath(world_fd, from->path, O_RDONLY | O_NOFOLLOW);
  int out = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (in < 0 || out < 0) fail("opening a file to copy it up", name);
  for (ssize_t got; (got = read(in, bytes, sizeof bytes)) != 0;)
    if (got < 0 || write(out, bytes, (size_t)got) != got) fail("copying a file up", name);
  copy_owner_and_mode(out, &from->stat, name);
  copy_xattrs(in, out, name);
  if (futimens(out, times) < 0) fail("setting the time", name);
  close(in);
  close(out);
}

void copy_up(const struct lower *from, int folder, const char *name) {
  const struct stat *stat = &from->stat;
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, stat->st_mtim};
  if (S_ISREG(stat->st_mode)) return copy_file(from, folder, name, times);
  if (S_ISLNK(stat->st_mode)) {
    char target[MAX_PATH_BYTES];
    int link = open_beneath(world_fd, from->path, O_PATH | O_NOFOLLOW);
    ssize_t length = link < 0 ? -1 : readlinkat(link, "", target, sizeof target - 1);
    if (length < 0) fail("reading a link of a lower layer", name);
    target[length] = 0;
    close(link);
    if (symlinkat(target, folder, name) < 0) fail("copying a link up", name);
  } else if (mknodat(folder, name, stat->st_mode, stat->st_rdev) < 0)
    fail("copying a device up", name);
  if (fchownat(folder, name, stat->st_uid, stat->st_gid, AT_SYMLINK_NOFOLLOW) < 0) fail("copying the owner", name);
  if (utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW) < 0) fail("setting the time", name);
}
