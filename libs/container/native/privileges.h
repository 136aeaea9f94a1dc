/* What a process of a box may do, set once before it runs anything of a user's. */
#pragma once
#include "request.h"

/* The bounding set, for PID 1 and the main process alike: set before they part. */
void privileges_bound(const struct request *request);
/* Ids, capabilities (none for a function; what package managers need for a build), no_new_privs, resource limits,
 * system call filter: in this order, filter last. Ends the process when a step fails. */
void privileges_drop(const struct request *request);
/* The same for PID 1, which needs nothing: it stays root of the box by id and has no capability at all. */
void privileges_drop_init(const struct request *request);
/* For a nursery, which stays root of the host: only what entering a box takes. */
void privileges_of_nursery(void);
