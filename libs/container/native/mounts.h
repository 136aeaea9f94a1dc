/* What a box sees besides its root file system, and how it gets where it belongs. Names are relative to the scratch
 * folder, which is the working directory. Each ends the process when it cannot. */
#pragma once
#include "request.h"

struct ids {
  int userns;
  unsigned base; /* the host's number of the box's root */
  int idmap;     /* whether layers can be mounted with the box's ids */
};

int open_inside(int root, const char *path);
/* Mounts `tree`, which it closes, at a place below `root`. */
void place(int tree, int root, const char *target, const char *step);
/* Mounts a layer at a name. Answers whether it has the box's ids. */
int mount_layer(const char *layer, const char *name, int userns, int idmap);
/* Mounts the request's mount `i` below `root`. */
void mount_besides(const struct request *request, size_t i, int root, const struct ids *ids);
