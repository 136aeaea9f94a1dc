/* Where an entry goes: the folder that its path names, as a box would find it. */
#pragma once
#include "record.h"

struct place {
  int fd; /* the folder */
  const char *name;
  char asked[MAX_PATH_BYTES];  /* the folder as the layer names it */
  char folder[MAX_PATH_BYTES]; /* through no link */
};

/* Two, because a hard link has two. Neighbours in a layer share a folder, so the last one is kept open. */
extern struct place place_of_entry, place_of_target;

/* Finds the folder of `path`. Links on the way, of this layer or of those below it, lead to where they lead inside of
 * the tree, never out of it. A folder that this layer implies without holding it is made as the layers below show it,
 * so that laying this layer over them changes nothing but what the layer says. */
void place_find(struct place *place, const char *path);
/* To be called when a folder may have gone. */
void place_forget(void);
/* Path of the entry through no link, or "" for the root. Valid until the next call. */
const char *place_path(const struct place *place);
/* Whether a folder of this layer hides what the layers below have at `path`, which goes through no link. */
int place_is_covered(const char *path);
/* Says that this layer hides all of those below. */
void place_cover_all(void);
/* Marks a folder as hiding what lies below it (overlayfs.rst, "whiteouts and opaque directories"). */
void place_make_opaque(int folder, const char *path);
