#include "making.h"
#include "netns.h"
#include "nursery.h"
#include "userns.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void close_if_open(int fd) {
  if (fd >= 0) close(fd);
}

void making_close(const struct making *making) {
  const int fds[] = {making->parts.userns, making->parts.netns,      making->parts.report,
                     making->parts.go,     making->report,           making->go,
                     making->control,      making->control_of_child, making->pidfd};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    close_if_open(fds[i]);
  for (size_t i = 0; i < MAX_JOINS; i++)
    close_if_open(making->parts.joins[i]);
}

static int sockets(int *ours, int *theirs) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) return -1;
  *ours = ends[0];
  *theirs = ends[1];
  return 0;
}

const char *making_begin(const struct request *request, struct making *making) {
  *making = (struct making){{-1, -1, -1, -1, {0}}, -1, -1, -1, -1, -1};
  for (size_t i = 0; i < MAX_JOINS; i++)
    making->parts.joins[i] = -1;
  for (size_t i = 0; i < request->join_count; i++)
    if ((making->parts.joins[i] = open(request->joins[i], O_WRONLY | O_CLOEXEC)) < 0) return "open cgroup";
  making->parts.netns = request->has_netns ? fcntl(request->netns, F_DUPFD_CLOEXEC, 0) : netns_take();
  if (making->parts.netns < 0) return "make network namespace";
  if (sockets(&making->report, &making->parts.report) < 0) return "report socket";
  int on = 1;
  setsockopt(making->report, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  if (request->op == OP_NURSERY) {
    if (sockets(&making->control, &making->control_of_child) < 0) return "control socket";
    int size = 4 << 20;
    setsockopt(making->control, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
    return NULL;
  }
  making->parts.userns = userns_take(request->slot, request->unprotected & UNPROTECTED_NAMESPACE_LIMITS);
  if (making->parts.userns < 0) return "make user namespace";
  int pipe_ends[2];
  if (request->nursery) {
    if (pipe2(pipe_ends, O_CLOEXEC) < 0) return "pipe";
    making->go = pipe_ends[0];
    making->parts.go = pipe_ends[1];
  }
  return NULL;
}

int making_ask(const struct request *request, const struct making *making, int nursery, char *bytes, size_t length) {
  int fds[TENANT_OTHERS + MAX_FDS + MAX_JOINS] = {making->pidfd, making->go, making->parts.report};
  size_t count = TENANT_OTHERS;
  for (size_t i = 0; i < request->fd_count; i++)
    fds[count++] = request->fds[i];
  for (size_t i = 0; i < request->join_count; i++)
    fds[count++] = making->parts.joins[i];
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)] = {0};
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = CMSG_SPACE(count * sizeof(int))};
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  *head =
      (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(count * sizeof(int))};
  memcpy(CMSG_DATA(head), fds, count * sizeof(int));
  return sendmsg(nursery, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0 ? -1 : 0;
}

/* A plain fork, for a box into a new pid namespace; this program has one thread. */
pid_t making_clone(const struct request *request, const struct workshop *workshop, const struct making *making) {
  unsigned long flags = request->op == OP_NURSERY ? SIGCHLD : CLONE_NEWPID | SIGCHLD;
  pid_t pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
  if (pid != 0) return pid;
  if (request->op == OP_NURSERY) nursery_run(request, workshop, &making->parts, making->control_of_child);
  box_run(request, workshop, &making->parts);
}
