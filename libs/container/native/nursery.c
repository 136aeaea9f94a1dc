/*
 * An addon for Node: turns a process that has booted into a nursery. serve() blocks for ever in the process that calls
 * it and returns in each of its forks, which by then is in a box and has no privileges. The nursery itself runs no
 * JavaScript after that: its heap stays as it was sealed. Facts behind it:
 * docs/decisions/0006-a-nursery-forks-booted-runtimes.md
 */
#include "nursery.h"
#include "filter.h"
#include "memory.h"
#include "sealing.h"
#include "step.h"
#include "tenant.h"

#include <fcntl.h>
#include <node_api.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONTROL = 3, TENANT_FDS = TENANT_OTHERS + MAX_FDS + MAX_JOINS };

static char bytes[REQUEST_MAX_BYTES];
static struct request request;
static int own_pids = -1, children = -1, is_trial;
static struct {
  pid_t pid;
  char id[65];
} tenants[MAX_SLOTS];

static void say(int kind, int status, const char *id) {
  struct nursery_word word = {.kind = kind, .status = status};
  strncpy(word.id, id, sizeof word.id - 1);
  if (send(CONTROL, &word, sizeof word, MSG_NOSIGNAL) < 0) _exit(0); /* the launcher has gone */
}

/* A handler and no signalfd: Node's threads do not block the signal, and one of them would take it away. */
static void child_ended(int number) {
  (void)number;
  int error = errno;
  eventfd_write(children, 1);
  errno = error;
}

static void reap(void) {
  eventfd_t count;
  eventfd_read(children, &count);
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
    for (int i = 0; i < MAX_SLOTS; i++) {
      if (tenants[i].pid != pid) continue;
      tenants[i].pid = 0;
      say(NURSERY_TENANT_ENDED, status, tenants[i].id);
      break;
    }
}

/* Answers how many descriptors came, below zero for a message that is none. Ends the nursery when the launcher has. */
static int receive(int *fds) {
  _Alignas(struct cmsghdr) char control[CMSG_SPACE(TENANT_FDS * sizeof(int))];
  struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
  ssize_t length;
  while ((length = recvmsg(CONTROL, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) {
  }
  if (length <= 0) _exit(0);
  struct cmsghdr *head = CMSG_FIRSTHDR(&message);
  int count = head ? (int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int)) : 0;
  if (head) memcpy(fds, CMSG_DATA(head), (size_t)count * sizeof(int));
  const char *wrong = request_parse(bytes, (size_t)length, &request);
  request.fd_count = (size_t)count - TENANT_OTHERS - request.join_count;
  if (!wrong && count >= TENANT_OTHERS && request.fd_count <= MAX_FDS) {
    memcpy(request.fds, fds + TENANT_OTHERS, request.fd_count * sizeof(int));
    return count;
  }
  for (int i = 0; i < count; i++)
    close(fds[i]);
  return -1;
}

/* The next fork is a process of the box's pid namespace, in which PID 1 waits. glibc's fork and not clone: its handlers
 * renew malloc's and libuv's locks. */
static pid_t fork_into(int pid1) {
  if (setns(pid1, CLONE_NEWPID) < 0) return -1;
  pid_t pid = fork();
  int error = errno;
  if (pid != 0 && setns(own_pids, CLONE_NEWPID) < 0) _exit(74); /* nothing that it forks from here on would be right */
  errno = error;
  return pid;
}

static void refuse_for(const int *fds, const char *step) {
  struct report report = {.kind = REPORT_REFUSED, .error = errno};
  strncpy(report.step, step, sizeof report.step - 1);
  report_fd = fds[TENANT_REPORT];
  report_send(&report);
}

static void remember(pid_t pid) {
  for (int i = 0; i < MAX_SLOTS; i++) {
    if (tenants[i].pid) continue;
    tenants[i].pid = pid;
    strncpy(tenants[i].id, request.id, sizeof tenants[i].id - 1);
    return;
  }
}

/* Answers 1 in the child. */
static int attend(uv_loop_t *loop) {
  int fds[TENANT_FDS];
  int count = receive(fds);
  if (count < 0) return 0;
  pid_t pid = fork_into(fds[TENANT_PID1]);
  if (pid == 0) {
    memory_take();
    signal(SIGCHLD, SIG_DFL);
    close(children);
    close(own_pids);
    report_fd = fds[TENANT_REPORT];
    STEP("renew the event loop", unshare_loop(loop));
    STEP("renew randomness", reseed());
    tenant_enter(&request, fds);
    return 1;
  }
  if (pid < 0) refuse_for(fds, "fork in the nursery");
  if (pid > 0) remember(pid);
  for (int i = 0; i < count; i++)
    close(fds[i]);
  return 0;
}

/* A fork in no box, that does once what a call does and shows which memory it takes. Answers 1 in the fork, below zero
 * when there is nothing to be learnt from it. */
static int try_out(uv_loop_t *loop) {
  if (memory_expect_note() < 0) return -1;
  pid_t pid = fork();
  if (pid == 0) {
    is_trial = 1;
    request.cwd = "/";
    if (unshare_loop(loop) < 0 || reseed() < 0) _exit(72);
    return 1;
  }
  int status = 0;
  if (pid < 0 || waitpid(pid, &status, 0) != pid) return -1;
  errno = ECHILD;
  return status == 0 ? memory_learn() : -1;
}

/* What the child learns: {env: ["NAME=value", …], cwd, pid, seed: 31 random bits, not 0, trial}. */
static napi_value tenancy(napi_env env) {
  napi_value result, list, value;
  napi_create_object(env, &result);
  napi_create_array_with_length(env, request.env_count, &list);
  for (uint32_t i = 0; i < request.env_count; i++) {
    napi_create_string_utf8(env, request.env[i], NAPI_AUTO_LENGTH, &value);
    napi_set_element(env, list, i, value);
  }
  napi_set_named_property(env, result, "env", list);
  napi_create_string_utf8(env, request.cwd, NAPI_AUTO_LENGTH, &value);
  napi_set_named_property(env, result, "cwd", value);
  napi_create_int32(env, getpid(), &value);
  napi_set_named_property(env, result, "pid", value);
  uint32_t seed;
  if (getrandom(&seed, sizeof seed, 0) != sizeof seed) _exit(73);
  napi_create_uint32(env, (seed >> 1) | 1, &value);
  napi_set_named_property(env, result, "seed", value);
  napi_get_boolean(env, is_trial, &value);
  napi_set_named_property(env, result, "trial", value);
  return result;
}

/* serve() → {env, cwd, pid, seed, trial}, in a fork. @throws Error saying what is open when the process is not fit to
 * be forked */
static napi_value serve(napi_env env, napi_callback_info info) {
  (void)info;
  uv_loop_t *loop;
  napi_get_uv_event_loop(env, &loop);
  filter_compile();
  const char *unfit = seal(loop);
  if (unfit) {
    napi_throw_error(env, NULL, unfit);
    return NULL;
  }
  int tried = memory_share() < 0 ? -1 : try_out(loop);
  if (tried < 0) napi_throw_error(env, strerrorname_np(errno), "lay out the nursery's memory");
  if (tried < 0) return NULL;
  if (tried > 0) return tenancy(env);
  own_pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
  children = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  signal(SIGCHLD, child_ended);
  say(NURSERY_SEALED, 0, "");
  struct pollfd fds[] = {{.fd = CONTROL, .events = POLLIN}, {.fd = children, .events = POLLIN}};
  for (;;) {
    if (poll(fds, 2, -1) < 0) continue; /* interrupted by its own signal */
    if (fds[1].revents) reap();
    if (fds[0].revents && attend(loop)) break;
  }
  return tenancy(env);
}

/* join(): the box's groups. What the fork did before (making pages its own, which the user can do nothing about) is not
 * metered. @throws with the errno as code */
static napi_value join(napi_env env, napi_callback_info info) {
  (void)info;
  if (tenant_join() < 0) napi_throw_error(env, strerrorname_np(errno), "join cgroup");
  return NULL;
}

/* tried(): ends a trial. */
static napi_value tried_out(napi_env env, napi_callback_info info) {
  (void)env, (void)info;
  memory_note();
  _exit(0);
}

/* pair() → [fd, fd]: the two ends of a stream, for rehearsals. */
static napi_value make_pair(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
    napi_throw_error(env, strerrorname_np(errno), "socketpair");
    return NULL;
  }
  napi_value array, fd;
  napi_create_array_with_length(env, 2, &array);
  for (uint32_t i = 0; i < 2; i++) {
    napi_create_int32(env, ends[i], &fd);
    napi_set_element(env, array, i, fd);
  }
  return array;
}

/* exit(code): without the destructors, which join threads that a fork does not have. */
static napi_value leave(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg;
  int32_t code = 0;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_int32(env, arg, &code);
  _exit(code);
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"serve", serve}, {"tried", tried_out}, {"pair", make_pair}, {"join", join}, {"exit", leave}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
