#include "remove.h"
#include "fail.h"
#include "lower.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Calls `act` for each name in a folder. */
static void each_name(int folder, const char *path, void (*act)(int folder, const char *name, const char *path)) {
  int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *list = again < 0 ? NULL : fdopendir(again);
  if (!list) fail("listing a folder to remove from it", path);
  for (struct dirent *entry; errno = 0, (entry = readdir(list));)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) act(folder, entry->d_name, path);
  if (errno) fail("listing a folder to remove from it", path);
  closedir(list);
}

void remove_contents(int folder, const char *path) {
  each_name(folder, path, remove_tree);
}

void remove_tree(int folder, const char *name, const char *path) {
  /* Two processes may sweep what one dead one left. */
  if (unlinkat(folder, name, 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR) fail("removing", path);
  int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return;
  if (fd < 0) fail("opening a folder to remove it", path);
  remove_contents(fd, path);
  close(fd);
  if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT) fail("removing a folder", path);
}

static void remove_whiteout(int folder, const char *name, const char *path) {
  struct stat stat;
  if (fstatat(folder, name, &stat, AT_SYMLINK_NOFOLLOW) < 0) fail("looking for whiteouts", path);
  if (is_whiteout(&stat) && unlinkat(folder, name, 0) < 0) fail("removing a whiteout", path);
  if (!S_ISDIR(stat.st_mode)) return;
  int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) fail("opening a folder", path);
  remove_whiteouts(fd, path);
  close(fd);
}

void remove_whiteouts(int folder, const char *path) {
  each_name(folder, path, remove_whiteout);
}
