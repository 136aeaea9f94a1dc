/* The forked runtime's way into its box: what box.c does for a program that is exec'd, done for a process that runs
 * already. */
#pragma once
#include "nursery.h"
#include "request.h"

/* Runs in the child. `fds` are in the order of enum tenant_fd; all are closed but those that groups are joined by. When
 * a step fails the process ends, and the launcher is told which. Afterwards it is in the box for good, without
 * privileges. */
void tenant_enter(const struct request *request, const int *fds);
/* Joins the box's groups, once: from here on it is limited and metered. Whoever opened the files had the right to, and
 * the kernel asks for no more. Below zero with errno on failure. */
int tenant_join(void);
