/* The root file system of a box: its mounts, made as host root in the box's own mount namespace. */
#pragma once
#include "request.h"

/* What the launcher prepares once and every box takes a copy of. Paths are valid in the launcher's mount namespace. */
struct workshop {
  char scratch[256]; /* an empty folder: in a box's namespace its tmpfs is mounted here */
  char dev[272];     /* a ready, read-only /dev */
  char empty[272];   /* an empty, read-only folder */
};

/* Makes the folders and the template. Ends the process when it cannot. */
void workshop_open(struct workshop *workshop, const char *run_dir);

/* Mounts the box's root below the scratch folder and enters it: afterwards "/" is the box's and the host's tree is
 * gone. `userns` holds the box's ids; `base` is the host id of its root. Answers 1 when layers are mounted with the
 * box's ids, 0 when not. */
int rootfs_enter(const struct request *request, const struct workshop *workshop, int userns, unsigned base);
