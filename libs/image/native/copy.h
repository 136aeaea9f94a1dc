/* What a layer needs of the layers below it: as overlayfs copies things up. */
#pragma once
#include "lower.h"

/* Makes a folder that looks like one below, or 0755 of root with no time when there is none. `path`: through no link.
 */
void copy_directory(const struct lower *like, int folder, const char *name, const char *path);
/* Makes the tree's root look like the one below. */
void copy_root(void);
/* Copies what is no folder. */
void copy_up(const struct lower *from, int folder, const char *name);
