#include "boxes.h"
#include "making.h"
#include "nursery.h"
#include "step.h"

#include <poll.h>
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
  int report;            /* -1 once the box has closed its end */
  int control;           /* of a nursery, else -1 */
  struct box *tenant_of; /* the nursery that forks its main process */
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

static void close_if_open(int fd) {
  if (fd >= 0) close(fd);
}

static struct box *find(const char *id) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid && !strcmp(boxes[i].id, id)) return &boxes[i];
  return NULL;
}

/* A box whose main process cannot come: its PID 1 would wait for ever. */
static void turn_away(struct box *box, const char *step, int error) {
  if (!box->refused) tell_refused(box->id, step, error);
  box->refused = 1;
  kill(box->pid, SIGKILL);
}

static struct box *free_place(void) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (!boxes[i].pid) return &boxes[i];
  return NULL;
}

void boxes_start(const struct request *request, const struct workshop *workshop, char *bytes, size_t length) {
  struct box *box = free_place();
  if (!box || find(request->id)) return tell_unborn(request->id, "find a place for the box", box ? EEXIST : EBUSY);
  struct box *nursery = request->nursery ? find(request->nursery) : NULL;
  if (request->nursery && (!nursery || nursery->control < 0))
    return tell_unborn(request->id, "find the nursery", ESRCH);
  struct making making;
  const char *failed = making_begin(request, &making);
  pid_t pid = failed ? -1 : making_clone(request, workshop, &making);
  if (!failed && pid < 0) failed = "clone";
  if (failed) {
    tell_unborn(request->id, failed, errno);
    return making_close(&making);
  }
  *box = (struct box){.pid = pid, .report = making.report, .control = making.control, .tenant_of = nursery};
  strncpy(box->id, request->id, sizeof box->id - 1);
  making.report = making.control = -1; /* the box's now */
  if (nursery) {
    making.pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (making.pidfd < 0 || making_ask(request, &making, nursery->control, bytes, length) < 0)
      turn_away(box, "ask the nursery", errno);
  }
  making_close(&making);
}

static void tell_entered(const struct box *box) {
  say("{\"id\":\"%s\",\"event\":\"entered\",\"init\":%d,\"main\":%d,\"idmap\":%s}\n", box->id, box->pid, box->main,
      box->idmap ? "true" : "false");
}

static void take(struct box *box, const struct report *report, pid_t sender) {
  switch (report->kind) {
  case REPORT_MADE:
    box->idmap = report->idmap;
    break;
  case REPORT_MAIN:
    box->main = sender;
    break;
  case REPORT_ENTERED:
    if (box->refused) break; /* its program failed between fork and exec, and has said so itself */
    box->idmap |= report->idmap;
    tell_entered(box);
    break;
  case REPORT_REFUSED:
    if (box->tenant_of) return turn_away(box, report->step, report->error);
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
    if (boxes[i].pid && boxes[i].pid == pid) return &boxes[i];
  return NULL;
}

static struct box *of_main(pid_t pid) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid && boxes[i].main == pid) return &boxes[i];
  return NULL;
}

/* A tenant has ended: what it left running ends with PID 1. */
static void tenant_ended(struct box *box, int status) {
  if (!box || box->has_status) return;
  box->has_status = 1;
  box->status = status;
  kill(box->pid, SIGKILL);
}

static void hear(struct box *nursery) {
  while (nursery->control >= 0) {
    struct nursery_word word;
    ssize_t length = recv(nursery->control, &word, sizeof word, MSG_DONTWAIT);
    if (length < 0) return;
    if (length != sizeof word) { /* it has ended; waitpid tells how */
      close(nursery->control);
      nursery->control = -1;
      return;
    }
    word.id[sizeof word.id - 1] = 0;
    if (word.kind == NURSERY_SEALED) {
      nursery->main = nursery->pid;
      tell_entered(nursery);
    } else if (word.kind == NURSERY_TENANT_ENDED) {
      tenant_ended(find(word.id), word.status);
    }
  }
}

/* Tenants that entered live on and become our children; whom it had not forked yet nobody will. */
static void nursery_ended(const struct box *nursery) {
  for (int i = 0; i < MAX_SLOTS; i++) {
    struct box *box = &boxes[i];
    if (!box->pid || box->tenant_of != nursery) continue;
    if (!box->main) turn_away(box, "fork in the nursery", EPIPE);
    box->tenant_of = NULL;
  }
}

static void reaped(struct box *box, int status) {
  drain(box);
  if (box->control >= 0) hear(box);
  /* When PID 1 is reaped every process of its namespace is dead: the kernel waits for them first. */
  if (box->refused)
    tell_gone(box->id);
  else
    tell_ended(box, box->has_status ? box->status : status);
  close_if_open(box->report);
  close_if_open(box->control);
  nursery_ended(box);
  box->pid = 0;
}

void boxes_attend(void) {
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid) drain(&boxes[i]);
  for (int i = 0; i < MAX_SLOTS; i++)
    if (boxes[i].pid && boxes[i].control >= 0) hear(&boxes[i]);
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    struct box *box = of_pid(pid);
    if (box)
      reaped(box, status);
    else
      tenant_ended(of_main(pid), status); /* its nursery is dead */
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
  for (int i = 0; i < MAX_SLOTS && count + 1 < max; i++) {
    if (!boxes[i].pid) continue;
    if (boxes[i].report >= 0) fds[count++] = (struct pollfd){.fd = boxes[i].report, .events = POLLIN};
    if (boxes[i].control >= 0) fds[count++] = (struct pollfd){.fd = boxes[i].control, .events = POLLIN};
  }
  return count;
}
