#include "step.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int report_fd = -1;

void report_send(struct report *report) {
  /* A launcher that is gone cannot be told; the parent-death signal ends us then. */
  ssize_t sent = send(report_fd, report, sizeof *report, MSG_NOSIGNAL);
  (void)sent;
}

_Noreturn void refuse(const char *step) {
  struct report report = {.kind = REPORT_REFUSED, .error = errno};
  strncpy(report.step, step, sizeof report.step - 1);
  report_send(&report);
  _exit(70);
}
