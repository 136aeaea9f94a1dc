#include "tenant.h"
#include "privileges.h"
#include "process.h"
#include "step.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

static int groups[MAX_JOINS];
static size_t group_count;

int tenant_join(void) {
  int result = 0, error = 0;
  for (size_t i = 0; i < group_count; i++) {
    if (result == 0 && write(groups[i], "0", 1) < 0) {
      result = -1;
      error = errno;
    }
    close(groups[i]);
  }
  group_count = 0;
  errno = error;
  return result;
}

/* PID 1 makes the mounts meanwhile. When it is refused it ends without a word, and its end is ours as well. */
static void wait_for_door(int go) {
  char byte;
  ssize_t length;
  while ((length = read(go, &byte, 1)) < 0 && errno == EINTR) {
  }
  if (length != 1) _exit(70);
  close(go);
}

void tenant_enter(const struct request *request, const int *fds) {
  report_fd = fds[TENANT_REPORT];
  struct report main_is_here = {.kind = REPORT_MAIN};
  report_send(&main_is_here); /* the launcher reads our host pid from the datagram's credentials */
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  STEP("open standard input", null);
  standard_streams(null, request->fds, request->fd_count);
  for (size_t i = 0; i < request->fd_count; i++)
    close(request->fds[i]);
  close(fds[TENANT_REPORT]);
  wait_for_door(fds[TENANT_GO]);
  group_count = request->join_count;
  for (size_t i = 0; i < group_count; i++)
    groups[i] = fds[TENANT_OTHERS + request->fd_count + i];
  STEP("join namespaces", setns(fds[TENANT_PID1], NAMESPACES));
  close(fds[TENANT_PID1]);
  STEP("session", setsid());
  umask(022);
  enter_cwd(request->cwd);
  privileges_bound(request);
  privileges_drop(request);
  /* Like a program after exec: it may look at itself in /proc. Its memory is a copy of the nursery's, which holds no
   * secret. */
  STEP("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
  struct report entered = {.kind = REPORT_ENTERED};
  report_send(&entered);
  close(report_fd);
}
