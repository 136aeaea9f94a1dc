#include "box.h"
#include "privileges.h"
#include "step.h"
#include "userns.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Order after runc's init (standard_init_linux.go): namespaces, mounts, cgroup, ids, capabilities, no_new_privs,
 * filter, exec. */

static int ascending(const void *a, const void *b) {
  return *(const int *)a - *(const int *)b;
}

/* Closes (or marks close-on-exec, by `flags`) every descriptor that is not in `keep`. */
static void close_all_but(int *keep, size_t count, unsigned flags) {
  qsort(keep, count, sizeof *keep, ascending);
  unsigned from = 0;
  for (size_t i = 0; i < count; i++) {
    if ((unsigned)keep[i] > from)
      STEP("close descriptors", syscall(SYS_close_range, from, (unsigned)keep[i] - 1, flags));
    from = (unsigned)keep[i] + 1;
  }
  STEP("close descriptors", syscall(SYS_close_range, from, ~0u, flags));
}

static void die_with_launcher(void) {
  STEP("parent-death signal", prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  /* It may have died before the signal was asked for: then its end of our socket is closed. */
  struct pollfd launcher = {.fd = report_fd};
  if (poll(&launcher, 1, 0) > 0 && launcher.revents & POLLHUP) _exit(71);
}

static void open_joins(const struct request *request, int *fds) {
  for (size_t i = 0; i < request->join_count; i++) {
    int fd = open(request->joins[i], O_WRONLY | O_CLOEXEC);
    STEP("open cgroup", fd);
    fds[i] = fcntl(fd, F_DUPFD_CLOEXEC, 64); /* the low numbers are about to be the program's streams */
    STEP("move descriptor", fds[i]);
    close(fd);
  }
}

/* As late as can be, so that the bill holds as little of our own work as can be. */
static void join(const struct request *request, const int *fds) {
  for (size_t i = 0; i < request->join_count; i++) {
    STEP("join cgroup", write(fds[i], "0", 1));
    close(fds[i]);
  }
  STEP("cgroup namespace", unshare(CLONE_NEWCGROUP));
}

static void standard_streams(const struct request *request) {
  int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  STEP("open standard input", null);
  /* Descriptors that came with the request may lie anywhere: out of the way first, then into place. */
  int moved[MAX_FDS];
  for (size_t i = 0; i < request->fd_count; i++) {
    moved[i] = fcntl(request->fds[i], F_DUPFD_CLOEXEC, 64);
    STEP("move descriptor", moved[i]);
  }
  int high_report = fcntl(report_fd, F_DUPFD_CLOEXEC, 64);
  STEP("move descriptor", high_report);
  report_fd = high_report;
  /* It is 0 already when 0 was free: dup2 onto itself would leave it close-on-exec. */
  STEP("standard input", null == 0 ? fcntl(0, F_SETFD, 0) : dup2(null, 0));
  if (null != 0) close(null);
  for (size_t i = 0; i < request->fd_count; i++) {
    STEP("standard stream", dup2(moved[i], (int)i + 1));
    close(moved[i]);
  }
}

/* A folder outside of the root, reached through a descriptor that leaked, has no absolute path: refuse to run there. */
static void enter_cwd(const struct request *request) {
  STEP("enter working folder", chdir(request->cwd));
  char path[4096];
  long length = syscall(SYS_getcwd, path, sizeof path);
  if (length < 0 || path[0] != '/') {
    errno = ENOENT;
    refuse("working folder is outside of the box");
  }
}

/* What a program expects to start with, and the launcher has otherwise: signals are not ignored, new files not open to
 * all. */
static void ordinary_process(void) {
  for (int number = 1; number < 32; number++)
    signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  umask(022);
}

static _Noreturn void run_main(const struct request *request, int failed) {
  struct report main_is_here = {.kind = REPORT_MAIN};
  report_send(&main_is_here); /* the launcher reads our host pid from the datagram's credentials */
  STEP("session", setsid());
  ordinary_process();
  enter_cwd(request);
  int keep[MAX_FDS + 1];
  for (int i = 0; i <= (int)request->fd_count; i++)
    keep[i] = i;
  /* Closing `failed` at exec tells PID 1 that exec succeeded. */
  close_all_but(keep, request->fd_count + 1, CLOSE_RANGE_CLOEXEC);
  privileges_drop(request);
  execve(request->args[0], request->args, request->env);
  int error = errno;
  (void)!write(failed, &error, sizeof error);
  _exit(127);
}

static void entered_or_refused(int failed, int idmap) {
  int error = 0;
  if (read(failed, &error, sizeof error) == sizeof error) {
    errno = error;
    refuse("exec");
  }
  close(failed);
  struct report entered = {.kind = REPORT_ENTERED, .idmap = idmap};
  report_send(&entered);
}

/* PID 1 of the box: reaps whatever is orphaned, tells how the main process ended, and by ending itself ends the rest.
 */
static _Noreturn void reap(pid_t main) {
  for (;;) {
    int status;
    pid_t pid = wait(&status);
    if (pid == main) {
      struct report ended = {.kind = REPORT_ENDED, .status = status};
      report_send(&ended);
      _exit(0);
    }
    if (pid < 0 && errno != EINTR) _exit(1);
  }
}

_Noreturn void box_run(const struct request *request, const struct workshop *workshop, int userns, int netns,
                       int report) {
  report_fd = report;
  die_with_launcher();
  int keep[MAX_FDS + 3] = {report, userns, netns};
  for (size_t i = 0; i < request->fd_count; i++)
    keep[i + 3] = request->fds[i];
  close_all_but(keep, request->fd_count + 3, 0);
  int joins[MAX_JOINS];
  STEP("namespaces", unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS));
  STEP("join network namespace", setns(netns, CLONE_NEWNET));
  open_joins(request, joins);
  STEP("hostname", sethostname(request->hostname, strlen(request->hostname)));
  int idmap = rootfs_enter(request, workshop, userns, userns_base(request->slot));
  standard_streams(request);
  join(request, joins);
  STEP("join user namespace", setns(userns, CLONE_NEWUSER));
  STEP("groups of root", setgroups(0, NULL));
  STEP("gid of root", setresgid(0, 0, 0));
  STEP("uid of root", setresuid(0, 0, 0));
  /* The change of ids cleared the parent-death signal and, in user namespaces, may have set dumpable. */
  die_with_launcher();
  STEP("not dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));

  privileges_bound(request);
  int failed[2];
  STEP("pipe", pipe2(failed, O_CLOEXEC));
  pid_t main = fork();
  STEP("fork", main);
  if (main == 0) run_main(request, failed[1]);
  close(failed[1]);
  int needed[] = {failed[0], report_fd};
  close_all_but(needed, 2, 0);
  privileges_drop_init(request);
  entered_or_refused(failed[0], idmap);
  reap(main);
}
