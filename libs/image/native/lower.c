#include "lower.h"
#include "fail.h"
#include "record.h"
#include "syscalls.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

int is_whiteout(const struct stat *stat) {
  return S_ISCHR(stat->st_mode) && stat->st_rdev == makedev(0, 0);
}

int is_opaque(int folder) {
  char value;
  return fgetxattr(folder, "trusted.overlay.opaque", &value, sizeof value) == 1 && value == 'y';
}

/* Layers that take part in the merge, topmost first. */
static unsigned short taking[512];
static size_t taking_count;

static int stat_in(size_t layer, const char *path, struct lower *found) {
  snprintf(found->path, sizeof found->path, "l/%zu/%s", layer, path);
  int fd = open_beneath(world_fd, found->path, O_PATH | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return 0;
  if (fd < 0 || fstat(fd, &found->stat) < 0) fail("looking into a lower layer", path);
  close(fd);
  return 1;
}

static int opaque_in(const struct lower *found) {
  int fd = open_beneath(world_fd, found->path, O_RDONLY | O_DIRECTORY);
  if (fd < 0) fail("opening a folder of a lower layer", found->path);
  int opaque = is_opaque(fd);
  close(fd);
  return opaque;
}

/* Goes on from the folder above `path`: leaves those layers in `taking` whose folder at `path` takes part. Answers
 * whether anything is to be seen there. */
static int step(const char *path, struct lower *found) {
  size_t kept = 0;
  int seen = 0;
  for (size_t i = 0; i < taking_count; i++) {
    struct lower here;
    if (!stat_in(taking[i], path, &here)) continue;
    if (is_whiteout(&here.stat)) break;
    if (S_ISDIR(here.stat.st_mode)) taking[kept++] = taking[i];
    if (!seen) *found = here;
    seen = 1;
    if (!S_ISDIR(here.stat.st_mode) || opaque_in(&here)) break;
  }
  taking_count = seen && S_ISDIR(found->stat.st_mode) ? kept : 0;
  return seen;
}

int lower_find(const char *path, struct lower *found) {
  taking_count = world_layers;
  for (size_t i = 0; i < world_layers; i++)
    taking[i] = (unsigned short)i;
  char prefix[MAX_PATH_BYTES];
  for (size_t length = 0; taking_count > 0;) {
    length += strcspn(path + length, "/");
    memcpy(prefix, path, length);
    prefix[length] = 0;
    if (!step(prefix, found)) return 0;
    if (!path[length]) return 1;
    length++;
  }
  return 0;
}
