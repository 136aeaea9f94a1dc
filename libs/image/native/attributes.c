#include "attributes.h"
#include "fail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

struct timespec mtime_of(const struct record *record) {
  return (struct timespec){.tv_sec = record->head.mtime_s, .tv_nsec = record->head.mtime_ns};
}

/* What overlayfs and nobody else may say about a tree (overlayfs.rst warns of foreign ones). The sender refuses them
 * too. */
static void check_name(const char *name, const char *path) {
  if (!strncmp(name, "trusted.", 8) || !strncmp(name, "user.overlay.", 13))
    refuse("an attribute belongs to the kernel", path);
}

static void set_failed(const char *name, const char *path) {
  char tried[300];
  snprintf(tried, sizeof tried, "setting the attribute %s", name);
  fail(tried, path);
}

void attributes_of_open(int fd, struct record *record) {
  const struct record_head *head = &record->head;
  if (fchown(fd, head->uid, head->gid) < 0) fail("setting the owner", record->path);
  if (fchmod(fd, head->mode) < 0) fail("setting the mode", record->path);
  struct xattr xattr;
  for (size_t at = 0; record_next_xattr(record, &at, &xattr);) {
    check_name(xattr.name, record->path);
    if (!strcmp(xattr.name, DEFAULT_ACL)) continue;
    if (fsetxattr(fd, xattr.name, xattr.value, xattr.length, 0) < 0) set_failed(xattr.name, record->path);
  }
}

void attributes_of_name(int folder, const char *name, struct record *record) {
  const struct record_head *head = &record->head;
  if (fchownat(folder, name, head->uid, head->gid, AT_SYMLINK_NOFOLLOW) < 0) fail("setting the owner", record->path);
  if (head->type != RECORD_SYMLINK && fchmodat(folder, name, head->mode, 0) < 0) fail("setting the mode", record->path);
  struct xattr xattr;
  size_t at = 0;
  /* There is no lsetxattrat before Linux 6.13: the name is looked up from the folder, and holds no slash. */
  if (head->xattr_count > 0 && fchdir(folder) < 0) fail("entering a folder", record->path);
  while (record_next_xattr(record, &at, &xattr)) {
    check_name(xattr.name, record->path);
    if (lsetxattr(name, xattr.name, xattr.value, xattr.length, 0) < 0) set_failed(xattr.name, record->path);
  }
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime_of(record)};
  if (utimensat(folder, name, times, AT_SYMLINK_NOFOLLOW) < 0) fail("setting the time", record->path);
}
