#include "fail.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Noreturn void end_badly(int error, const char *what, const char *path) {
  char said[8192];
  int length = snprintf(said, sizeof said, "%d%c%s%c%.4095s", error, 0, what, 0, path);
  ssize_t told = write(STDERR_FILENO, said, (size_t)length + 1);
  (void)told; /* Nobody listens any more; the status says that it failed. */
  _exit(70);
}

_Noreturn void fail(const char *tried, const char *path) {
  end_badly(errno, tried, path);
}

_Noreturn void refuse(const char *why, const char *path) {
  end_badly(0, why, path);
}
