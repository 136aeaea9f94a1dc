#include "place.h"
#include "copy.h"
#include "fail.h"
#include "lower.h"
#include "syscalls.h"
#include "later.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

struct place place_of_entry = {.fd = -1}, place_of_target = {.fd = -1};

/* As the kernel counts (path_resolution(7)). */
enum { MOST_LINKS = 40 };

static void join(char *to, const char *folder, const char *name, size_t length) {
  int joined = snprintf(to, MAX_PATH_BYTES, "%s%s%.*s", folder, *folder ? "/" : "", (int)length, name);
  if (joined >= MAX_PATH_BYTES) refuse("its folder's path is too long", folder);
}

const char *place_path(const struct place *place) {
  static char path[MAX_PATH_BYTES];
  join(path, place->folder, place->name, strlen(place->name));
  return path;
}

void place_make_opaque(int folder, const char *path) {
  if (fsetxattr(folder, "trusted.overlay.opaque", "y", 1, 0) < 0) fail("marking a folder as opaque", path);
}

static int all_covered;

void place_cover_all(void) {
  all_covered = 1;
}

int place_is_covered(const char *path) {
  if (all_covered) return 1;
  char prefix[MAX_PATH_BYTES];
  for (size_t length = 0;;) {
    length += strcspn(path + length, "/");
    if (!path[length]) return 0;
    memcpy(prefix, path, length);
    prefix[length++] = 0;
    int fd = open_beneath(tree_fd, prefix, O_RDONLY | O_DIRECTORY);
    if (fd < 0) return 0;
    int opaque = is_opaque(fd);
    close(fd);
    if (opaque) return 1;
  }
}

/* A folder that the layer implies. */
static void imply(const char *path, const struct lower *like) {
  const char *slash = strrchr(path, '/');
  char above[MAX_PATH_BYTES] = ".";
  if (slash) join(above, "", path, (size_t)(slash - path));
  int folder = open_beneath(tree_fd, above, O_RDONLY | O_DIRECTORY);
  if (folder < 0) fail("opening a folder", above);
  copy_directory(like, folder, slash ? slash + 1 : path, path);
  close(folder);
}

/* A path on its way: what is left of it, and the folder that was reached. */
struct way {
  char done[MAX_PATH_BYTES];
  char rest[2 * MAX_PATH_BYTES];
  int links;
};

static void follow(struct way *way, int link, const char *path) {
  char target[2 * MAX_PATH_BYTES];
  ssize_t length = readlinkat(link, "", target, MAX_PATH_BYTES);
  if (length < 0) fail("reading a link", path);
  if (++way->links > MOST_LINKS) refuse("its folder's path goes round in circles", path);
  int spliced = snprintf(target + length, sizeof target - (size_t)length, "/%s", way->rest);
  if ((size_t)length + (size_t)spliced >= sizeof target) refuse("its folder's path is too long", path);
  strcpy(way->rest, target);
  if (way->rest[0] == '/') way->done[0] = 0;
}

static void enter_lower(struct way *way, const char *next, const char *path) {
  struct lower found;
  if (place_is_covered(next) || !lower_find(next, &found)) return imply(next, NULL), (void)strcpy(way->done, next);
  if (S_ISDIR(found.stat.st_mode)) return imply(next, &found), (void)strcpy(way->done, next);
  if (!S_ISLNK(found.stat.st_mode)) refuse("what should be its folder is none in the layers below", path);
  int link = open_beneath(world_fd, found.path, O_PATH | O_NOFOLLOW);
  if (link < 0) fail("opening a link of a lower layer", path);
  follow(way, link, path);
  close(link);
}

/* One component further. */
static void enter(struct way *way, const char *next, const char *path) {
  int fd = open_beneath(tree_fd, next, O_PATH | O_NOFOLLOW);
  if (fd < 0 && errno == ENOENT) return enter_lower(way, next, path);
  struct stat stat;
  if (fd < 0 || fstat(fd, &stat) < 0) fail("opening a folder", path);
  if (S_ISLNK(stat.st_mode))
    follow(way, fd, path);
  else if (S_ISDIR(stat.st_mode))
    strcpy(way->done, next);
  else if (is_whiteout(&stat)) {
    /* The layer takes away what was there and puts a folder in its place. */
    if (unlinkat(tree_fd, next, 0) < 0) fail("replacing a whiteout", path);
    imply(next, NULL);
    int made = open_beneath(tree_fd, next, O_RDONLY | O_DIRECTORY);
    if (made < 0) fail("opening a folder", path);
    place_make_opaque(made, path);
    close(made);
    strcpy(way->done, next);
  } else
    refuse("what should be its folder is none", path);
  close(fd);
}

static void resolve(const char *path, char *resolved) {
  struct way way = {.links = 0};
  strcpy(way.rest, path);
  while (way.rest[0]) {
    size_t length = strcspn(way.rest, "/");
    char next[MAX_PATH_BYTES];
    join(next, way.done, way.rest, length);
    int dot = length == 0 || (length == 1 && way.rest[0] == '.');
    int up = length == 2 && way.rest[0] == '.' && way.rest[1] == '.';
    const char *after = way.rest + length + (way.rest[length] == '/');
    memmove(way.rest, after, strlen(after) + 1);
    if (dot) continue;
    if (up) {
      char *slash = strrchr(way.done, '/');
      *(slash ? slash : way.done) = 0;
    } else
      enter(&way, next, path);
  }
  strcpy(resolved, way.done);
}

void place_find(struct place *place, const char *path) {
  const char *slash = strrchr(path, '/');
  size_t length = slash ? (size_t)(slash - path) : 0;
  place->name = slash ? slash + 1 : path;
  if (place->fd >= 0 && !strncmp(place->asked, path, length) && !place->asked[length]) return;
  if (place->fd >= 0) close(place->fd);
  memcpy(place->asked, path, length);
  place->asked[length] = 0;
  strcpy(place->folder, place->asked);
  place->fd = open_beneath(tree_fd, length ? place->asked : ".", O_RDONLY | O_DIRECTORY);
  if (place->fd >= 0) return;
  if (errno != ENOENT && errno != ELOOP && errno != ENOTDIR) fail("opening a folder", path);
  resolve(place->asked, place->folder);
  place->fd = open_beneath(tree_fd, place->folder[0] ? place->folder : ".", O_RDONLY | O_DIRECTORY);
  if (place->fd < 0) fail("opening a folder", path);
}

void place_forget(void) {
  if (place_of_entry.fd >= 0) close(place_of_entry.fd);
  if (place_of_target.fd >= 0) close(place_of_target.fd);
  place_of_entry.fd = place_of_target.fd = -1;
}
