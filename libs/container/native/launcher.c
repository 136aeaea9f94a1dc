/*
 * The launcher: a small daemon, child of the worker, that makes boxes. It takes requests from descriptor 3
 * (SOCK_SEQPACKET, one request a message, descriptors beside it), tells what becomes of each box as JSON lines on
 * standard output, and ends, with all its boxes, when descriptor 3 closes or its parent dies. It reads nothing that a
 * user wrote but strings it hands on to exec.
 *
 *   launcher RUN_DIR [--allow-unprotected]
 */
#include "boxes.h"
#include "filter.h"
#include "netns.h"
#include "process.h"
#include "seal.h"
#include "userns.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, ALL_FDS = MAX_FDS + 1 };
static struct workshop workshop;
static int allow_unprotected;

static void close_fds(const struct request *request) {
  for (size_t i = 0; i < request->fd_count; i++)
    close(request->fds[i]);
  if (request->has_netns) close(request->netns);
}

/* Where the buffer's alignment has room for more descriptors than there may be, what is too much is closed. */
static size_t take_fds(struct msghdr *message, int *fds) {
  struct cmsghdr *head = CMSG_FIRSTHDR(message);
  if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS) return 0;
  size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
  for (size_t i = 0; i < count; i++) {
    int fd;
    memcpy(&fd, CMSG_DATA(head) + i * sizeof fd, sizeof fd);
    if (i < ALL_FDS)
      fds[i] = fd;
    else
      close(fd);
  }
  return count < ALL_FDS ? count : ALL_FDS;
}

/* The last descriptor is the network namespace, when there is to be one. Answers NULL, or what is wrong. */
static const char *sort_fds(struct request *request, const int *fds, size_t count) {
  int given = request->has_netns && request->op == OP_START && count > 0;
  const char *wrong = request->has_netns && !given ? "no descriptor of the network namespace" : NULL;
  request->has_netns = given;
  if (given) request->netns = fds[--count];
  request->fd_count = count < MAX_FDS ? count : MAX_FDS;
  memcpy(request->fds, fds, request->fd_count * sizeof *fds);
  for (size_t i = MAX_FDS; i < count; i++)
    close(fds[i]);
  return wrong;
}

/* Answers 0 when the worker has gone. */
static int attend_control(void) {
  static char bytes[REQUEST_MAX_BYTES];
  static struct request request;
  int fds[ALL_FDS];
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof fds)];
  struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length = recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  if (length == 0) return 0;
  const char *wrong = request_parse(bytes, (size_t)length, &request);
  const char *missing = sort_fds(&request, fds, take_fds(&message, fds));
  if (!wrong) wrong = missing;
  if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) wrong = "a request is too long";
  if (!wrong && request.unprotected && !allow_unprotected) wrong = "protections cannot be switched off here";
  if (!wrong && request.op != OP_KILL && request.fd_count < 2) wrong = "no descriptors for standard output and error";
  if (!wrong && request.has_stdin && request.fd_count < 3) wrong = "no descriptor for standard input";
  if (!wrong && request.has_terminal && request.fd_count < 3) wrong = "no descriptor for the terminal";
  /* Its control socket becomes the third. */
  if (!wrong && request.op == OP_NURSERY && request.fd_count != 2) wrong = "a nursery has two descriptors";
  if (wrong && request.id)
    tell_unborn(request.id, wrong, EINVAL);
  else if (wrong)
    tell_wrong(wrong);
  else if (request.op == OP_KILL)
    boxes_kill(request.id);
  else
    boxes_start(&request, &workshop, bytes, (size_t)length);
  close_fds(&request);
  return 1;
}

static void end_all(void) {
  boxes_kill_all();
  while (boxes_count() > 0) {
    boxes_attend();
    usleep(1000);
  }
  exit(0);
}

static int signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGTERM);
  /* Ctrl-C reaches the whole foreground group; when to stop is the worker's to say. */
  signal(SIGINT, SIG_IGN);
  signal(SIGPIPE, SIG_IGN);
  sigprocmask(SIG_BLOCK, &set, NULL);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv) {
  if (argc < 2) {
    fprintf(stderr, "usage: launcher RUN_DIR [--allow-unprotected]  (started by the worker, with a control socket as "
                    "descriptor 3)\n");
    return 64;
  }
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_NAME, "mayfly-launcher");
  seal_self(argv);
  arguments_known(argc, argv);
  allow_unprotected = argc > 2 && !strcmp(argv[2], "--allow-unprotected");
  umask(0);
  prctl(PR_SET_DUMPABLE, 0);
  /* What a nursery forked is ours when the nursery has died. */
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  /* The host's session keyring is not for boxes to inherit. A kernel without keys has none. */
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
  filter_compile();
  workshop_open(&workshop, argv[1]);
  int signal_fd = signals();
  static struct pollfd fds[2 * MAX_SLOTS + 2];
  for (;;) {
    fds[0] = (struct pollfd){.fd = CONTROL, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
    int count = 2 + boxes_poll(fds + 2, 2 * MAX_SLOTS);
    if (poll(fds, (nfds_t)count, 0) == 0) {
      netns_refill();
      userns_refill(); /* nothing waits: make what the next box will need */
      poll(fds, (nfds_t)count, -1);
    }
    if (fds[1].revents) {
      struct signalfd_siginfo info;
      while (read(signal_fd, &info, sizeof info) == sizeof info)
        if (info.ssi_signo == SIGTERM) end_all();
    }
    boxes_attend();
    if (fds[0].revents && !attend_control()) end_all();
  }
}
