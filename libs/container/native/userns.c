#include "userns.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready[MAX_SLOTS]; /* descriptor + 1, 0 when there is none */
static int wanted = -1;

unsigned userns_base(unsigned slot) {
  return FIRST_HOST_ID + slot * IDS_PER_BOX;
}

static int write_file(const char *path, const char *text) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  int error = errno;
  close(fd);
  errno = error;
  return written < 0 ? -1 : 0;
}

/* Nothing in the namespace may make a namespace: a second fence behind the system call filter. */
static int forbid_namespaces(void) {
#define LIMIT(kind) "/proc/sys/user/max_" kind "_namespaces"
  static const char *const limits[] = {LIMIT("user"), LIMIT("mnt"), LIMIT("pid"),    LIMIT("net"),
                                       LIMIT("ipc"),  LIMIT("uts"), LIMIT("cgroup"), LIMIT("time")};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    if (write_file(limits[i], "0") < 0 && errno != ENOENT) return -1;
  return 0;
}

struct holder {
  int go, others_end, limited;
};

/* The first process of the namespace: waits for its maps, sets the namespace's own limits, waits to be let go. Shares
 * our memory, which saves a copy of the page tables; while it works we wait for its answer. */
static int hold(void *given) {
  const struct holder *holder = given;
  char byte;
  close(holder->others_end);
  if (read(holder->go, &byte, 1) != 1) return 1;
  if (holder->limited && forbid_namespaces() < 0) return 2;
  if (write(holder->go, "k", 1) != 1) return 3;
  (void)!read(holder->go, &byte, 1);
  return 0;
}

static int map_and_open(pid_t pid, unsigned base, int go) {
  char path[64], map[64];
  snprintf(map, sizeof map, "0 %u %d", base, IDS_PER_BOX);
  snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
  if (write_file(path, map) < 0) return -1;
  snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
  if (write_file(path, map) < 0) return -1;
  char byte;
  if (write(go, "g", 1) != 1 || read(go, &byte, 1) != 1) return -1;
  snprintf(path, sizeof path, "/proc/%d/ns/user", pid);
  return open(path, O_RDONLY | O_CLOEXEC);
}

static int make(unsigned slot, int limited) {
  static _Alignas(16) char stack[16 << 10];
  int go[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, go) < 0) return -1;
  struct holder holder = {.go = go[1], .others_end = go[0], .limited = limited};
  pid_t pid = clone(hold, stack + sizeof stack, CLONE_VM | CLONE_NEWUSER | SIGCHLD, &holder);
  int error = errno;
  close(go[1]);
  errno = error;
  int fd = pid < 0 ? -1 : map_and_open(pid, userns_base(slot), go[0]);
  error = errno;
  close(go[0]);
  if (pid > 0)
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
      ;
  errno = error;
  return fd;
}

int userns_take(unsigned slot, int unlimited) {
  wanted = (int)slot;
  if (unlimited) return make(slot, 0);
  int fd = ready[slot] - 1;
  ready[slot] = 0;
  return fd >= 0 ? fd : make(slot, 1);
}

void userns_refill(void) {
  if (wanted >= 0 && !ready[wanted]) ready[wanted] = make((unsigned)wanted, 1) + 1;
  wanted = -1;
}
