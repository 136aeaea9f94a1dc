/* Requests to rtnetlink(7), one at a time, each with the kernel's answer. */
#pragma once
#include <stddef.h>

struct nl {
  _Alignas(8) char bytes[1024];
};

/* A socket in the network namespace that the calling thread is in, and it stays there. Below zero with errno. */
int nl_open(void);
/* Begins a request: `head` is the family's own header. */
void nl_begin(struct nl *request, int type, int flags, const void *head, size_t size);
void nl_put(struct nl *request, int type, const void *data, size_t size);
/* Attributes within an attribute: to be ended with what nl_nest answered. */
size_t nl_nest(struct nl *request, int type);
void nl_end(struct nl *request, size_t nest);
/* Sends it and reads the answer into `answer`, which may be NULL when only an acknowledgement comes. Answers its
 * length, below zero with the kernel's errno. */
int nl_ask(int fd, struct nl *request, void *answer, size_t size);
