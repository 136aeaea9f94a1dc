/* One box, from the inside: what the cloned child does from its first instruction on. It becomes PID 1 of the box;
 * beside it runs the user's program, or a runtime that a nursery forked into the box. */
#pragma once
#include "request.h"
#include "rootfs.h"

/* What the launcher made for a box before it cloned. The box closes what it does not keep. */
struct parts {
  int userns, netns;
  int report; /* the box's end of its socket to the launcher */
  int go;     /* written to when a tenant may enter; below zero in a box that runs a program */
  int joins[MAX_JOINS];
};

/* Runs in the child, which is PID 1 of a new pid namespace. */
_Noreturn void box_run(const struct request *request, const struct workshop *workshop, const struct parts *parts);

/* Runs in the child that becomes a nursery (nursery.c): a program over a root of its own that keeps the host's pids and
 * the power to enter boxes. `control` becomes its descriptor 3. */
_Noreturn void nursery_run(const struct request *request, const struct workshop *workshop, const struct parts *parts,
                           int control);
