#include "box.h"
#include "privileges.h"
#include "process.h"
#include "step.h"
#include "terminal.h"
#include "userns.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Order after runc's init (standard_init_linux.go): namespaces, mounts, cgroup, ids, capabilities, no_new_privs,
 * filter, exec. */

/* How many of the request's descriptors follow standard input in the program. */
static size_t outputs(const struct request *request) {
  return request->fd_count - (request->has_stdin || request->has_terminal ? 1 : 0);
}

static const char *search_path(char *const *env) {
  for (; *env; env++)
    if (!strncmp(*env, "PATH=", 5)) return *env + 5;
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* As execvpe(3) does, by the PATH of the program's own environment; without its shell for what has no format. */
static void exec_program(char *const *args, char *const *env) {
  if (strchr(args[0], '/')) {
    execve(args[0], args, env);
    return;
  }
  int error = ENOENT;
  for (const char *at = search_path(env), *end; *at; at = *end ? end + 1 : end) {
    end = strchrnul(at, ':');
    char path[4096];
    int length = snprintf(path, sizeof path, "%.*s/%s", (int)(end - at), at, args[0]);
    if (end == at || length >= (int)sizeof path) continue;
    execve(path, args, env);
    if (errno != ENOENT && errno != ENOTDIR) error = errno;
  }
  errno = error;
}

/* Shares PID 1's memory until exec, and PID 1 waits for that: a copy of the page tables would cost more than all of its
 * steps. What it refuses it tells the launcher itself. */
static _Noreturn void run_main(const struct request *request) {
  struct report main_is_here = {.kind = REPORT_MAIN};
  report_send(&main_is_here); /* the launcher reads our host pid from the datagram's credentials */
  STEP("session", setsid());
  if (request->has_terminal) STEP("controlling terminal", ioctl(0, TIOCSCTTY, 0));
  ordinary_process();
  enter_cwd(request->cwd);
  int keep[MAX_FDS + 1];
  size_t count = outputs(request) + 1;
  for (size_t i = 0; i < count; i++)
    keep[i] = (int)i;
  close_all_but(keep, count, CLOSE_RANGE_CLOEXEC);
  privileges_drop(request);
  exec_program(request->args, request->env);
  refuse("exec");
}

static _Noreturn void tell_end(int status) {
  struct report ended = {.kind = REPORT_ENDED, .status = status};
  report_send(&ended);
  _exit(0);
}

/* PID 1 of the box: reaps whatever is orphaned, tells how the main process ended, and by ending itself ends the rest.
 */
static _Noreturn void reap(pid_t main) {
  for (;;) {
    int status;
    pid_t pid = wait(&status);
    if (pid == main) tell_end(status);
    if (pid < 0 && errno != EINTR) _exit(1);
  }
}

static _Noreturn void run_program(const struct request *request, const struct terminal *terminal, int idmap) {
  pid_t main = vfork();
  STEP("fork", main);
  if (main == 0) run_main(request);
  struct report entered = {.kind = REPORT_ENTERED, .idmap = idmap};
  report_send(&entered); /* ignored after a refusal */
  int needed[] = {report_fd, terminal->master, terminal->slave, terminal->socket};
  close_all_but(needed, request->has_terminal ? 4 : 1, 0);
  /* Its change of ids may have set it for the memory that it shared with us. */
  STEP("not dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  privileges_drop_init(request);
  /* The slave stays open: while nobody has it, a terminal would always be ready to say so. */
  if (request->has_terminal) tell_end(terminal_serve(terminal, main));
  reap(main);
}

/* PID 1 for a tenant, who is a nursery's child and not ours: opens the door, reaps orphans. The launcher ends us when
 * the tenant has ended. */
static _Noreturn void wait_for_tenant(const struct request *request, int go, int idmap) {
  int needed[] = {go, report_fd};
  close_all_but(needed, 2, 0);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  privileges_drop_init(request);
  struct report made = {.kind = REPORT_MADE, .idmap = idmap};
  report_send(&made);
  (void)!write(go, "g", 1);
  close(go);
  for (;;) {
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
    sigwaitinfo(&child, NULL);
  }
}

static void keep_only(const struct request *request, const struct parts *parts) {
  int keep[4 + MAX_JOINS + MAX_FDS] = {parts->report, parts->netns};
  size_t count = 2;
  if (parts->userns >= 0) keep[count++] = parts->userns;
  if (parts->go >= 0) keep[count++] = parts->go;
  for (size_t i = 0; i < request->join_count; i++)
    keep[count++] = parts->joins[i];
  for (size_t i = 0; parts->go < 0 && i < request->fd_count; i++)
    keep[count++] = request->fds[i];
  close_all_but(keep, count, 0);
}

/* The low numbers are about to be the program's streams. */
static void move_up(int *fd) {
  int moved = fcntl(*fd, F_DUPFD_CLOEXEC, 64);
  STEP("move descriptor", moved);
  close(*fd);
  *fd = moved;
}

/* What the program reads: the request's, or nothing. */
static int open_input(const struct request *request) {
  int input = request->has_stdin ? fcntl(request->fds[request->fd_count - 1], F_DUPFD_CLOEXEC, 64)
                                 : open("/dev/null", O_RDONLY | O_CLOEXEC);
  STEP("open standard input", input);
  return input;
}

/* Programs open /dev/stdout and /dev/stdin anew, which asks for the pipe's owner; runc does the same
 * (fixStdioPermissions).
 */
static void own_pipes(const struct request *request) {
  unsigned base = userns_base(request->slot);
  for (size_t i = 0; i < request->fd_count; i++) {
    struct stat is;
    STEP("look at standard stream", fstat(request->fds[i], &is));
    if (S_ISFIFO(is.st_mode))
      STEP("owner of standard stream", fchown(request->fds[i], base + request->uid, base + request->gid));
  }
}

static void enter_terminal(const struct request *request, struct terminal *terminal) {
  *terminal = terminal_open(request, userns_base(request->slot));
  move_up(&terminal->master);
  move_up(&terminal->slave);
  move_up(&terminal->socket);
  const int streams[] = {terminal->slave, terminal->slave};
  standard_streams(fcntl(terminal->slave, F_DUPFD_CLOEXEC, 64), streams, 2);
}

_Noreturn void box_run(const struct request *request, const struct workshop *workshop, const struct parts *given) {
  struct parts parts = *given;
  report_fd = parts.report;
  die_with_launcher();
  keep_only(request, &parts);
  STEP("namespaces", unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS));
  STEP("join network namespace", setns(parts.netns, CLONE_NEWNET));
  for (size_t i = 0; i < request->join_count; i++)
    move_up(&parts.joins[i]);
  if (parts.go >= 0) move_up(&parts.go);
  STEP("hostname", sethostname(request->hostname, strlen(request->hostname)));
  int idmap = rootfs_enter(request, workshop, parts.userns, userns_base(request->slot));
  struct terminal terminal = {-1, -1, -1};
  if (request->has_terminal)
    enter_terminal(request, &terminal);
  else if (parts.go < 0)
    own_pipes(request);
  if (!request->has_terminal) standard_streams(open_input(request), request->fds, parts.go < 0 ? outputs(request) : 0);
  /* As late as can be, so that the bill holds as little of our own work as can be. */
  join_groups(parts.joins, request->join_count);
  STEP("cgroup namespace", unshare(CLONE_NEWCGROUP));
  STEP("join user namespace", setns(parts.userns, CLONE_NEWUSER));
  STEP("groups of root", setgroups(0, NULL));
  STEP("gid of root", setresgid(0, 0, 0));
  STEP("uid of root", setresuid(0, 0, 0));
  /* The change of ids cleared the parent-death signal and, in user namespaces, may have set dumpable. */
  die_with_launcher();
  STEP("not dumpable", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  privileges_bound(request);
  arguments_hide();
  if (parts.go >= 0) wait_for_tenant(request, parts.go, idmap);
  run_program(request, &terminal, idmap);
}

_Noreturn void nursery_run(const struct request *request, const struct workshop *workshop, const struct parts *given,
                           int control) {
  struct parts parts = *given;
  struct request with_control = *request;
  with_control.fds[with_control.fd_count++] = control;
  report_fd = parts.report;
  die_with_launcher();
  keep_only(&with_control, &parts);
  STEP("namespaces", unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS));
  STEP("join network namespace", setns(parts.netns, CLONE_NEWNET));
  for (size_t i = 0; i < request->join_count; i++)
    move_up(&parts.joins[i]);
  STEP("hostname", sethostname(request->hostname, strlen(request->hostname)));
  rootfs_enter(request, workshop, -1, 0);
  standard_streams(open_input(&with_control), with_control.fds, with_control.fd_count);
  join_groups(parts.joins, request->join_count);
  ordinary_process();
  enter_cwd(request->cwd);
  int keep[MAX_FDS + 1];
  for (int i = 0; i <= (int)with_control.fd_count; i++)
    keep[i] = i;
  close_all_but(keep, with_control.fd_count + 1, CLOSE_RANGE_CLOEXEC);
  privileges_of_nursery();
  execve(request->args[0], request->args, request->env);
  refuse("exec");
}
