/* One box, from the inside: what the cloned child does from its first instruction to the user's program, and PID 1
 * beside it. */
#pragma once
#include "request.h"
#include "rootfs.h"

/* Runs in the child, which is PID 1 of a new pid namespace. `report` is its socket to the launcher, `userns` its ids,
 * `netns` its network.
 */
_Noreturn void box_run(const struct request *request, const struct workshop *workshop, int userns, int netns,
                       int report);
