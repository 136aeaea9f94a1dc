/* How a step that fails is named. A box's set-up runs in a child of the launcher; the first step that fails is reported
 * with its errno and the child ends. Nothing is undone by hand: its namespaces, and with them all its mounts, go with
 * it. */
#pragma once
#include <errno.h>

enum report_kind { REPORT_REFUSED = 1, REPORT_MADE, REPORT_MAIN, REPORT_ENTERED, REPORT_ENDED };

/* One datagram from a box's PID 1 or its main process to the launcher. */
struct report {
  int kind;
  int error;     /* errno, for REFUSED */
  int status;    /* wait status of the main process, for ENDED */
  int idmap;     /* 1 when layers are mounted with the box's ids, for MADE and ENTERED */
  char step[48]; /* for REFUSED */
};

/* Where reports of this process go; set once in the child. */
extern int report_fd;

void report_send(struct report *report);
/* Reports the step with errno and ends the process. */
_Noreturn void refuse(const char *step);

/* Runs a call that answers below zero on failure. */
#define STEP(name, call)                                                                                               \
  do {                                                                                                                 \
    if ((call) < 0) refuse(name);                                                                                      \
  } while (0)
