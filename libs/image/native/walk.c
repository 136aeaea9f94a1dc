#include "walk.h"
#include "fail.h"
#include "lower.h"
#include "names.h"
#include "record.h"
#include "stream.h"
#include "syscalls.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { MOST_DEPTH = 512 };

static struct record record;
/* Of what is being looked at; grows and shrinks with the way down. */
static char path[MAX_PATH_BYTES];

/* Lists and reads the attributes of an open file, or of `name` in the folder that is the working directory. */
static ssize_t list(int fd, const char *name, char *names, size_t room) {
  return fd >= 0 ? flistxattr(fd, names, room) : llistxattr(name, names, room);
}
static ssize_t get(int fd, const char *name, const char *key, char *value, size_t room) {
  return fd >= 0 ? fgetxattr(fd, key, value, room) : lgetxattr(name, key, value, room);
}

static int compare(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* In order of names, whatever the file system's is. */
static void read_xattrs(int fd, const char *name) {
  static char names[65536], value[65536], *sorted[MAX_XATTRS];
  ssize_t length = list(fd, name, names, sizeof names);
  if (length < 0 && errno == ENOTSUP) return;
  if (length < 0) fail("listing attributes", path);
  size_t count = 0;
  for (char *key = names; key < names + length; key += strlen(key) + 1) {
    if (!strncmp(key, "trusted.", 8)) continue; /* overlayfs' own, and whatever root of the host keeps there */
    if (count == MAX_XATTRS) refuse("too many attributes", path);
    sorted[count++] = key;
  }
  qsort(sorted, count, sizeof *sorted, compare);
  for (size_t i = 0; i < count; i++) {
    ssize_t size = get(fd, name, sorted[i], value, sizeof value);
    if (size < 0) fail("reading an attribute", path);
    if (record_add_xattr(&record, sorted[i], value, (size_t)size) < 0) refuse("too many attributes", path);
  }
}

static void begin(const struct stat *stat, enum record_type type) {
  record.head = (struct record_head){
      .type = (uint8_t)type,
      .mode = stat->st_mode & 07777,
      .uid = stat->st_uid,
      .gid = stat->st_gid,
      .mtime_s = stat->st_mtim.tv_sec,
      .mtime_ns = (uint32_t)stat->st_mtim.tv_nsec,
  };
  strcpy(record.path, path);
  record.target[0] = 0;
}

/* Exactly as many bytes as were announced. */
static void send_content(int fd, uint64_t size) {
  while (size > 0) {
    size_t room = size < 256 * 1024 ? (size_t)size : 256 * 1024;
    char *to = output_room(&room);
    ssize_t got = read(fd, to, room);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("reading", path);
    if (got == 0) refuse("the file became shorter while it was read", path);
    output_filled((size_t)got);
    size -= (uint64_t)got;
  }
}

static void send_file(int folder, const char *name, const struct stat *seen) {
  const char *first = seen->st_nlink > 1 ? names_first(seen, path) : NULL;
  if (first) {
    begin(seen, RECORD_HARD_LINK);
    strcpy(record.target, first);
    return record_write(&record);
  }
  /* O_NONBLOCK: a living box may have put a fifo there since. */
  int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);
  struct stat stat;
  if (fd < 0 || fstat(fd, &stat) < 0) fail("opening a file", path);
  if (!S_ISREG(stat.st_mode)) refuse("the file became something else while it was read", path);
  begin(&stat, RECORD_FILE);
  record.head.size = (uint64_t)stat.st_size;
  read_xattrs(fd, NULL);
  record_write(&record);
  send_content(fd, record.head.size);
  close(fd);
}

/* What cannot be opened. */
static void send_name(int folder, const char *name, const struct stat *stat, enum record_type type) {
  begin(stat, type);
  record.head.major = major(stat->st_rdev);
  record.head.minor = minor(stat->st_rdev);
  if (type == RECORD_SYMLINK) {
    ssize_t length = readlinkat(folder, name, record.target, sizeof record.target - 1);
    if (length < 0) fail("reading a symbolic link", path);
    record.target[length] = 0;
  }
  if (fchdir(folder) < 0) fail("entering a folder", path);
  read_xattrs(-1, name);
  record_write(&record);
}

static void send_directory(int fd) {
  struct stat stat;
  if (fstat(fd, &stat) < 0) fail("looking at a folder", path);
  begin(&stat, RECORD_DIRECTORY);
  read_xattrs(fd, NULL);
  record_write(&record);
  struct lower below;
  if (!is_opaque(fd) || !lower_find(path, &below) || !S_ISDIR(below.stat.st_mode)) return;
  begin(&stat, RECORD_OPAQUE);
  record_write(&record);
}

static char **names_of(int folder, size_t *count) {
  int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_NOATIME | O_CLOEXEC);
  DIR *list = again < 0 ? NULL : fdopendir(again);
  if (!list) fail("listing a folder", path);
  char **names = NULL;
  size_t room = *count = 0;
  for (struct dirent *entry; errno = 0, (entry = readdir(list));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    if (*count == room) names = realloc(names, (room = room ? room * 2 : 16) * sizeof *names);
    if (!names || !(names[*count] = strdup(entry->d_name))) fail("memory for the names of a folder", path);
    ++*count;
  }
  if (errno) fail("listing a folder", path);
  closedir(list);
  if (names) qsort(names, *count, sizeof *names, compare);
  return names;
}

static void walk_folder(int folder, int depth);

static void walk_one(int folder, const char *name, int depth) {
  struct stat stat;
  if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return; /* A living box has removed it since. */
    fail("looking at what is there", path);
  }
  if (S_ISREG(stat.st_mode)) return send_file(folder, name, &stat);
  if (S_ISLNK(stat.st_mode)) return send_name(folder, name, &stat, RECORD_SYMLINK);
  if (S_ISFIFO(stat.st_mode)) return send_name(folder, name, &stat, RECORD_FIFO);
  if (S_ISBLK(stat.st_mode)) return send_name(folder, name, &stat, RECORD_BLOCK_DEVICE);
  if (is_whiteout(&stat)) {
    begin(&stat, RECORD_WHITEOUT);
    return record_write(&record);
  }
  if (S_ISCHR(stat.st_mode)) return send_name(folder, name, &stat, RECORD_CHAR_DEVICE);
  if (S_ISSOCK(stat.st_mode)) return;
  if (depth == MOST_DEPTH) refuse("folders lie too deep in each other", path);
  int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
  if (fd < 0) fail("opening a folder", path);
  send_directory(fd);
  walk_folder(fd, depth + 1);
  close(fd);
}

static void walk_folder(int folder, int depth) {
  size_t count, length = strlen(path);
  char **names = names_of(folder, &count);
  for (size_t i = 0; i < count; i++) {
    if (length + strlen(names[i]) + 2 > sizeof path) refuse("a path is too long", path);
    if (length) path[length] = '/';
    strcpy(path + length + (length > 0), names[i]);
    walk_one(folder, names[i], depth);
    path[length] = 0;
    free(names[i]);
  }
  free(names);
}

void walk(void) {
  send_directory(tree_fd);
  walk_folder(tree_fd, 0);
  record.head = (struct record_head){.type = RECORD_END};
  record.path[0] = record.target[0] = 0;
  record_write(&record);
  output_flush();
}
