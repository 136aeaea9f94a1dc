#include "process.h"
#include "step.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int ascending(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

void close_all_but(int *keep, size_t count, unsigned flags) {
  qsort(keep, count, sizeof *keep, ascending);
  unsigned from = 0;
  for (size_t i = 0; i < count; i++) {
    if ((unsigned)keep[i] > from)
      STEP("close descriptors", syscall(SYS_close_range, from, (unsigned)keep[i] - 1, flags));
    from = (unsigned)keep[i] + 1;
  }
  STEP("close descriptors", syscall(SYS_close_range, from, ~0u, flags));
}

void die_with_launcher(void) {
  STEP("parent-death signal", prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  /* It may have died before the signal was asked for: then its end of our socket is closed. */
  struct pollfd launcher = {.fd = report_fd};
  if (poll(&launcher, 1, 0) > 0 && launcher.revents & POLLHUP) _exit(71);
}

void join_groups(const int *fds, size_t count) {
  for (size_t i = 0; i < count; i++) {
    STEP("join cgroup", write(fds[i], "0", 1));
    close(fds[i]);
  }
}

void standard_streams(int null, const int *fds, size_t count) {
  /* First all out of the way, then into place. */
  int moved[MAX_FDS];
  for (size_t i = 0; i < count; i++) {
    moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
    STEP("move descriptor", moved[i]);
  }
  int high_report = fcntl(report_fd, F_DUPFD_CLOEXEC, 64);
  STEP("move descriptor", high_report);
  report_fd = high_report;
  /* It is 0 already when 0 was free: dup2 onto itself would leave it close-on-exec. */
  STEP("standard input", null == 0 ? fcntl(0, F_SETFD, 0) : dup2(null, 0));
  if (null != 0) close(null);
  for (size_t i = 0; i < count; i++) {
    STEP("standard stream", dup2(moved[i], (int)i + 1));
    close(moved[i]);
  }
}

/* A folder outside of the root, reached through a descriptor that leaked, has no absolute path: refuse to run there. */
void enter_cwd(const char *cwd) {
  STEP("enter working folder", chdir(cwd));
  char path[4096];
  long length = syscall(SYS_getcwd, path, sizeof path);
  if (length < 0 || path[0] != '/') {
    errno = ENOENT;
    refuse("working folder is outside of the box");
  }
}

void ordinary_process(void) {
  for (int number = 1; number < 32; number++)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  umask(022);
}

static char *arguments;
static size_t arguments_size;

void arguments_known(int argc, char **argv) {
  arguments = argv[0];
  arguments_size = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]);
}

void arguments_hide(void) {
  memset(arguments, 0, arguments_size);
}
