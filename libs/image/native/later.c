#include "later.h"
#include "fail.h"
#include "syscalls.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* More than any image that is of use, and little enough to hold. */
enum { MOST_BYTES = 64 << 20 };

/* One after the other: a head, then the path with its NUL, then the ACL. */
struct note {
  struct timespec mtime;
  size_t path_bytes;
  size_t acl_bytes; /* 0: the note is about the time */
};
static char *notes;
static size_t used, room;

static void add(struct note note, const char *path, const char *acl) {
  note.path_bytes = strlen(path) + 1;
  size_t needed = used + sizeof note + note.path_bytes + note.acl_bytes;
  if (needed > MOST_BYTES) refuse("the names of its folders are too much together", path);
  if (needed > room) {
    room = needed > room * 2 ? needed + 65536 : room * 2;
    notes = realloc(notes, room);
    if (!notes) fail("memory for what folders get last", path);
  }
  memcpy(notes + used, &note, sizeof note);
  memcpy(notes + used + sizeof note, path, note.path_bytes);
  if (acl) memcpy(notes + used + sizeof note + note.path_bytes, acl, note.acl_bytes);
  used = needed;
}

void later_time(const char *path, struct timespec mtime) {
  add((struct note){.mtime = mtime}, path, NULL);
}

void later_default_acl(const char *path, const char *value, size_t length) {
  if (length > 0) add((struct note){.acl_bytes = length}, path, value);
}

static void apply(const struct note *note, int folder, const char *path, const char *acl) {
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, note->mtime};
  if (note->acl_bytes > 0) {
    if (fsetxattr(folder, "system.posix_acl_default", acl, note->acl_bytes, 0) < 0) fail("setting a default ACL", path);
  } else if (futimens(folder, times) < 0)
    fail("setting a folder's time", path);
}

void later_apply(void) {
  for (size_t at = 0; at < used;) {
    struct note note;
    memcpy(&note, notes + at, sizeof note);
    const char *path = notes + at + sizeof note;
    at += sizeof note + note.path_bytes + note.acl_bytes;
    int fd = open_beneath(tree_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY);
    /* Something else took its place later in the layer. */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)) continue;
    if (fd < 0) fail("opening a folder", path);
    apply(&note, fd, path, path + note.path_bytes);
    close(fd);
  }
}
