/* The layers below the tree, seen as overlayfs shows them merged (overlayfs.rst, "Directories"). */
#pragma once
#include <sys/stat.h>

struct lower {
  struct stat stat;
  char path[4096 + 32]; /* in the world: opened with open_beneath(world_fd, …) */
};

/* What stands at `path`, through no link. Answers 0 when there is nothing: whiteouts hide, folders that are opaque or
 * lie over something else end the merge. */
int lower_find(const char *path, struct lower *found);

int is_whiteout(const struct stat *stat);
/* Whether the folder hides what lies below it. */
int is_opaque(int folder);
