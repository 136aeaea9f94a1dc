/* A root of one's own, empty at first, that nothing of the host is seen in: a private mount namespace, so nothing of it
 * is left when the last process in it has ended, however it ends. Paths in it are relative until root_leave_host(). */
#pragma once

/* A mount namespace of its own; `over` is for the message. */
void root_begin(const char *over);
/* Covers `over` with an empty root, which has this mode, and goes there. */
void root_cover(const char *over, const char *mode);
/* From here on it is the root. */
void root_leave_host(void);
