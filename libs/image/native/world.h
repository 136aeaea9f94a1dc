/* All that this program can see: a root of its own that holds the tree and the layers below it, and nothing of the
 * host. It is a private mount namespace, so nothing of it is left when the program has ended, however it ends. */
#pragma once
#include <stddef.h>

enum world_access { WORLD_WRITE, WORLD_READ };

/* Once entered. */
extern int world_fd; /* the root: layer i lies at `l/<i>`, topmost first */
extern int tree_fd;  /* the tree; every path of a layer is opened beneath it */
extern size_t world_layers;

/* Enters the world of the tree at `tree`. Paths are the caller's and may lead anywhere. */
void world_enter(const char *tree, char **layers, size_t count, enum world_access access);
/* Enters the world of layers merged by the kernel as a box shows them, read-only. */
void world_enter_merged(char **layers, size_t count);
