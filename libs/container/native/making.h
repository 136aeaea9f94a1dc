/* What a box, or a nursery, is made with, from the launcher's side: descriptors, and the clone that takes them. */
#pragma once
#include "box.h"
#include <sys/types.h>

/* Below zero: not there. `parts` are the child's; the rest is the launcher's, or goes to a nursery. */
struct making {
  struct parts parts;
  int report, go, control, control_of_child, pidfd;
};

/* Answers NULL, or the step that failed, with errno. To be closed in either case. */
const char *making_begin(const struct request *request, struct making *making);
/* Closes what is there; what somebody else keeps is set to -1 before. */
void making_close(const struct making *making);
/* Below zero, with errno, when there is no child. */
pid_t making_clone(const struct request *request, const struct workshop *workshop, const struct making *making);
/* Asks a nursery, by its control socket, for a main process: it forks while PID 1 makes its mounts. `bytes` are the
 * request's message. Below zero, with errno, when it cannot be asked. */
int making_ask(const struct request *request, const struct making *making, int nursery, char *bytes, size_t length);
