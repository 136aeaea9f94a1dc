/* The boxes that live, as the launcher keeps them, and what it tells the worker about each. */
#pragma once
#include "request.h"
#include "rootfs.h"
#include <sys/types.h>

/* Starts a box, or a nursery, of a request whose message was `bytes`. What goes wrong is told as a refusal of it. */
void boxes_start(const struct request *request, const struct workshop *workshop, char *bytes, size_t length);
void boxes_kill(const char *id);
void boxes_kill_all(void);
int boxes_count(void);
/* Takes every report that has arrived and every child that has ended, and tells the worker. */
void boxes_attend(void);
/* Descriptors to wait on. Answers how many were written to `fds`. */
struct pollfd;
int boxes_poll(struct pollfd *fds, int max);

/* JSON lines to the worker. `id` is plain by the parser's rule. */
/* A box that is refused before there is a process of it. */
void tell_unborn(const char *id, const char *step, int error);
void tell_wrong(const char *what);
