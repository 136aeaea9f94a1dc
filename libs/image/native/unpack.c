#include "unpack.h"
#include "attributes.h"
#include "copy.h"
#include "fail.h"
#include "lower.h"
#include "place.h"
#include "remove.h"
#include "stream.h"
#include "syscalls.h"
#include "later.h"
#include "world.h"

#include <errno.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

static struct record record;

enum there { NOTHING, FOLDER, WHITEOUT, OTHER };

static enum there what_is(const struct place *place) {
  struct stat stat;
  if (fstatat(place->fd, place->name, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno != ENOENT) fail("looking at what is there", record.path);
    return NOTHING;
  }
  if (S_ISDIR(stat.st_mode)) return FOLDER;
  return is_whiteout(&stat) ? WHITEOUT : OTHER;
}

/* A layer that names something twice means the last. */
static void make_room(const struct place *place) {
  remove_tree(place->fd, place->name, record.path);
  place_forget();
}

/* Runs a call that makes something where nothing may be yet: once more after what was there has gone. */
#define MAKE(tried, call)                                                                                              \
  do {                                                                                                                 \
    if ((call) >= 0) break;                                                                                            \
    if (errno == EEXIST) {                                                                                             \
      make_room(place);                                                                                                \
      place_find(place, record.path);                                                                                  \
      if ((call) >= 0) break;                                                                                          \
    }                                                                                                                  \
    fail(tried, record.path);                                                                                          \
  } while (0)

static void write_segment(int fd, struct segment segment) {
  while (segment.length > 0) {
    size_t got;
    const char *bytes = input_some(segment.length, &got);
    for (size_t at = 0; at < got;) {
      ssize_t written = pwrite(fd, bytes + at, got - at, (off_t)(segment.offset + at));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail("writing", record.path);
      at += (size_t)written;
    }
    segment.offset += got;
    segment.length -= got;
  }
}

static void make_file(struct place *place) {
  int fd;
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  MAKE("making a file", fd = openat(place->fd, place->name, flags, 0600));
  uint64_t end = 0;
  for (uint32_t i = 0; i < record.head.segment_count; i++) {
    write_segment(fd, record.segments[i]);
    end = record.segments[i].offset + record.segments[i].length;
  }
  if (end != record.head.size && ftruncate(fd, (off_t)record.head.size) < 0) fail("sizing a file", record.path);
  attributes_of_open(fd, &record);
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, mtime_of(&record)};
  if (futimens(fd, times) < 0) fail("setting the time", record.path);
  close(fd);
}

static void finish_later(const char *path) {
  struct xattr xattr;
  for (size_t at = 0; record_next_xattr(&record, &at, &xattr);)
    if (!strcmp(xattr.name, DEFAULT_ACL)) later_default_acl(path, xattr.value, xattr.length);
  later_time(path, mtime_of(&record));
}

static void make_directory(struct place *place) {
  int replaced = 0;
  if (mkdirat(place->fd, place->name, 0700) < 0) {
    if (errno != EEXIST) fail("making a folder", record.path);
    enum there there = what_is(place);
    if (there != FOLDER) {
      make_room(place);
      place_find(place, record.path);
      if (mkdirat(place->fd, place->name, 0700) < 0) fail("making a folder", record.path);
      replaced = 1;
    }
  }
  int fd = openat(place->fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) fail("opening a folder", record.path);
  attributes_of_open(fd, &record);
  /* What this layer had put there before hid what lies below. */
  if (replaced) place_make_opaque(fd, record.path);
  close(fd);
  finish_later(place_path(place));
}

static void make_node(struct place *place, mode_t type) {
  dev_t device = type == S_IFIFO ? 0 : makedev(record.head.major, record.head.minor);
  if (type == S_IFCHR && device == 0) refuse("the device 0:0 is overlayfs' own", record.path);
  MAKE("making a device", mknodat(place->fd, place->name, type | 0600, device));
  attributes_of_name(place->fd, place->name, &record);
}

static void make_symlink(struct place *place) {
  MAKE("making a symbolic link", symlinkat(record.target, place->fd, place->name));
  attributes_of_name(place->fd, place->name, &record);
}

static int same_file(const struct place *a, const struct place *b) {
  struct stat one, other;
  return fstatat(a->fd, a->name, &one, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstatat(b->fd, b->name, &other, AT_SYMLINK_NOFOLLOW) == 0 && one.st_ino == other.st_ino;
}

/* Names one inode twice, whose attributes the first name has set. */
static void make_hard_link(struct place *place) {
  struct place *target = &place_of_target;
  place_find(target, record.target);
  enum there there = what_is(target);
  if (there == NOTHING) {
    struct lower found;
    const char *path = place_path(target);
    if (place_is_covered(path) || !lower_find(path, &found)) refuse("a hard link's target is not there", record.path);
    if (S_ISDIR(found.stat.st_mode)) refuse("a hard link's target is a folder", record.path);
    copy_up(&found, target->fd, target->name);
  } else if (there != OTHER)
    refuse("a hard link's target is no file", record.path);
  if (same_file(place, target)) return;
  if (linkat(target->fd, target->name, place->fd, place->name, 0) == 0) return;
  if (errno != EEXIST) fail("making a hard link", record.path);
  make_room(place);
  place_find(place, record.path);
  place_find(target, record.target);
  if (linkat(target->fd, target->name, place->fd, place->name, 0) < 0) fail("making a hard link", record.path);
}

static void open_and_make_opaque(struct place *place) {
  int fd = openat(place->fd, place->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) fail("opening a folder", record.path);
  place_make_opaque(fd, record.path);
  remove_whiteouts(fd, record.path);
  close(fd);
}

/* What this layer itself has at that name stays: a whiteout only takes away what lies below (OCI layer.md,
 * "Whiteouts"). Where nothing lies below, overlayfs would show the device itself. */
static void make_whiteout(struct place *place) {
  struct lower found;
  const char *path = place_path(place);
  if (place_is_covered(path) || !lower_find(path, &found)) return;
  if (mknodat(place->fd, place->name, S_IFCHR, 0) == 0) return;
  if (errno != EEXIST) fail("making a whiteout", record.path);
  if (what_is(place) == FOLDER) open_and_make_opaque(place);
}

static void apply_to_root(void) {
  if (record.head.type == RECORD_OPAQUE) {
    /* overlayfs asks no root for the mark: whoever mounts the layer leaves out those below it. */
    place_cover_all();
    return remove_whiteouts(tree_fd, "");
  }
  if (record.head.type != RECORD_DIRECTORY) refuse("the root can only be a folder", "");
  attributes_of_open(tree_fd, &record);
  finish_later("");
}

/* A layer that says nothing of the root means the one that it is laid over. */
static void imply_root(void) {
  if (world_layers == 0)
    later_time("", (struct timespec){0});
  else
    copy_root();
}

static void apply(void) {
  if (!record.path[0]) return apply_to_root();
  struct place *place = &place_of_entry;
  if (record.head.type == RECORD_OPAQUE) {
    static char inside[MAX_PATH_BYTES + 2];
    strcat(strcpy(inside, record.path), "/.");
    place_find(place, inside);
    return open_and_make_opaque(place);
  }
  place_find(place, record.path);
  switch (record.head.type) {
  case RECORD_DIRECTORY:
    return make_directory(place);
  case RECORD_FILE:
    return make_file(place);
  case RECORD_SYMLINK:
    return make_symlink(place);
  case RECORD_HARD_LINK:
    return make_hard_link(place);
  case RECORD_CHAR_DEVICE:
    return make_node(place, S_IFCHR);
  case RECORD_BLOCK_DEVICE:
    return make_node(place, S_IFBLK);
  case RECORD_FIFO:
    return make_node(place, S_IFIFO);
  case RECORD_WHITEOUT:
    return make_whiteout(place);
  default:
    refuse("an entry is of no known type", record.path);
  }
}

void unpack(void) {
  imply_root();
  for (record_read(&record); record.head.type != RECORD_END; record_read(&record))
    apply();
  later_apply();
  record.head = (struct record_head){.type = RECORD_END};
  record.path[0] = record.target[0] = 0;
  record_write(&record);
  output_flush();
}
