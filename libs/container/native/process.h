/* What any process of a box does on its way in, whether it is PID 1, a program or a runtime that was forked: shed what
 * it inherited, take on what is the box's. */
#pragma once
#include "request.h"

/* Closes (or marks close-on-exec, by `flags`) every descriptor that is not in `keep`, which gets sorted. */
void close_all_but(int *keep, size_t count, unsigned flags);
/* Ends this process when the launcher ends. A change of ids clears it: then again. */
void die_with_launcher(void);
/* The box's groups, by descriptors of their files; they are closed. */
void join_groups(const int *fds, size_t count);
/* 0 from `null`, 1 and following from `fds`, which may lie anywhere. Moves `report_fd` out of the way. */
void standard_streams(int null, const int *fds, size_t count);
void enter_cwd(const char *cwd);
/* Signals are not ignored or blocked, new files not open to all: what a program expects, and the launcher has
 * otherwise. */
void ordinary_process(void);

/* Words that this program was started with name folders of the host, and PID 1 of a box shows them in /proc/1/cmdline.
 * Known once, hidden in the box's own copy.
 */
void arguments_known(int argc, char **argv);
void arguments_hide(void);
