#include "boxes.h"
#include "box.h"
#include "netns.h"
#include "step.h"
#include "userns.h"

#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct box {
  char id[65];
  pid_t pid; /* PID 1 of the box, as the host sees it; 0: free */
  pid_t main;
  int report; /* -1 once the box has closed its end */
  int idmap;
  int refused;
  int has_status;
  int status;
};
static struct box boxes[MAX_SLOTS];

/* Every part of a line is bounded: an id by the parser, the rest are words of ours. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...) {
  char line[512];
  va_list parts;
  va_start(parts, format);
  int length = vsnprintf(line, sizeof line, format, parts);
  va_end(parts);
  if (length < 0 || length >= (int)sizeof line) return;
  if (write(STDOUT_FILENO, line, (size_t)length) != length) {
    /* The worker does not read any more: its end of the control socket closes next, and that ends us. */
  }
}

static void tell_gone(const char *id) {
  say("{\"id\":\"%s\",\"event\":\"gone\"}\n", id);
}

static void tell_refused(const char *id, const char *step, int error) {
  say("{\"id\":\"%s\",\"event\":\"refused\",\"step\":\"%s\",\"errno\":\"%s\",\"message\":\"%s\"}\n", id, step,
      strerrorname_np(error) ? strerrorname_np(error) : "?", strerror(error));
}

void tell_unborn(const char *id, const char *step, int error) {
  tell_refused(id, step, error);
  tell_gone(id);
}

void tell_wrong(const char *what) {
  say("{\"event\":\"wrong\",\"message\":\"%s\"}\n", what);
}

static void tell_ended(const struct box *box, int status) {
  if (WIFSIGNALED(status))
    say("{\"id\":\"%s\",\"event\":\"ended\",\"signal\":%d}\n", box->id, WTERMSIG(status));
  else
    say("{\"id\":\"%s\",\"event\":\"ended\",\"code\":%d}\n", box->id, WEXITSTATUS(status));
}

static struct box *find(const char *id) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid && !strcmp(boxes[i].id, id)) return &boxes[i];
  return NULL;
}

static struct box *free_place(void) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (!boxes[i].pid) return &boxes[i];
  return NULL;
}

/* What a box is made with. Descriptors below zero are not there. */
struct parts {
  int userns, netns, ends[2];
};

static void parts_close(const struct parts *parts) {
  const int fds[] = {parts->userns, parts->netns, parts->ends[0], parts->ends[1]};
  for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
    if (fds[i] >= 0) close(fds[i]);
}

/* Answers NULL, or the step that failed, with errno. */
static const char *parts_take(const struct request *request, struct parts *parts) {
  *parts = (struct parts){-1, -1, {-1, -1}};
  parts->userns = userns_take(request->slot, request->unprotected & UNPROTECTED_NAMESPACE_LIMITS);
  if (parts->userns < 0) return "make user namespace";
  parts->netns = netns_take();
  if (parts->netns < 0) return "make network namespace";
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, parts->ends) < 0) return "report socket";
  int on = 1;
  setsockopt(parts->ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
  return NULL;
}

void boxes_start(const struct request *request, const struct workshop *workshop) {
  struct box *box = free_place();
  if (!box || find(request->id)) return tell_unborn(request->id, "find a place for the box", box ? EEXIST : EBUSY);
  struct parts parts;
  const char *failed = parts_take(request, &parts);
  if (failed) {
    tell_unborn(request->id, failed, errno);
    return parts_close(&parts);
  }
  /* A plain fork into a new pid namespace; this program has one thread. */
  pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
  if (pid == 0) box_run(request, workshop, parts.userns, parts.netns, parts.ends[1]);
  if (pid < 0) {
    tell_unborn(request->id, "clone", errno);
    return parts_close(&parts);
  }
  *box = (struct box){.pid = pid, .report = parts.ends[0]};
  strncpy(box->id, request->id, sizeof box->id - 1);
  parts.ends[0] = -1; /* the box's now */
  parts_close(&parts);
}

static void take(struct box *box, const struct report *report, pid_t sender) {
  switch (report->kind) {
  case REPORT_MAIN:
    box->main = sender;
    break;
  case REPORT_ENTERED:
    if (box->refused) break; /* its program failed between fork and exec, and has said so itself */
    box->idmap = report->idmap;
    say("{\"id\":\"%s\",\"event\":\"entered\",\"init\":%d,\"main\":%d,\"idmap\":%s}\n", box->id, box->pid, box->main,
        box->idmap ? "true" : "false");
    break;
  case REPORT_REFUSED:
    if (!box->refused) tell_refused(box->id, report->step, report->error);
    box->refused = 1;
    break;
  case REPORT_ENDED:
    box->has_status = 1;
    box->status = report->status;
    break;
  }
}

static void drain(struct box *box) {
  while (box->report >= 0) {
    struct report report;
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
    struct iovec bytes = {.iov_base = &report, .iov_len = sizeof report};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(box->report, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return;
    if (length != sizeof report) { /* closed. Its PID 1 may take a while to die: not to be polled for until then */
      close(box->report);
      box->report = -1;
      return;
    }
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    struct ucred sender = {0};
    if (head && head->cmsg_type == SCM_CREDENTIALS) memcpy(&sender, CMSG_DATA(head), sizeof sender);
    report.step[sizeof report.step - 1] = 0;
    take(box, &report, sender.pid);
  }
}

static struct box *of_pid(pid_t pid) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid == pid) return &boxes[i];
  return NULL;
}

void boxes_attend(void) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid) drain(&boxes[i]);
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    struct box *box = of_pid(pid);
    if (!box) continue;
    drain(box);
    /* When PID 1 is reaped every process of its namespace is dead: the kernel waits for them first. */
    if (!box->refused)
      tell_ended(box, box->has_status ? box->status : status);
    else
      tell_gone(box->id);
    if (box->report >= 0) close(box->report);
    box->pid = 0;
  }
}

void boxes_kill(const char *id) {
  struct box *box = find(id);
  if (box) kill(box->pid, SIGKILL); /* not reaped yet, so the number is still its own */
}

void boxes_kill_all(void) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid) kill(boxes[i].pid, SIGKILL);
}

int boxes_count(void) {
  int count = 0;
  for (int i = 0; i < MAX_SLOTS; i++)
    count += boxes[i].pid != 0;
  return count;
}

int boxes_poll(struct pollfd *fds, int max) {
  int count = 0;
  for (int i = 0; i < MAX_SLOTS && count < max; i++)
    if (boxes[i].pid && boxes[i].report >= 0) fds[count++] = (struct pollfd){.fd = boxes[i].report, .events = POLLIN};
  return count;
}
