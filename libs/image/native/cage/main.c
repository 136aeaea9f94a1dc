/* courier-cage: starts the program that speaks with registries where it can do no harm. Registries are strangers, and
 * what reads their answers (TLS, HTTP) is large. It needs the host's network, and nothing else of the host:
 *
 *   courier-cage UID DESCRIPTORS PATH... -- PROGRAM ARGUMENT...
 *
 * PROGRAM runs as UID, which owns nothing; sees PATHs, the C library, resolv.conf and its like, all read-only; has the
 * first DESCRIPTORS descriptors, no capability and no way to gain one, few system calls, and no sockets but of the
 * internet. It dies with whoever started it. */
#include "../fail.h"
#include "../powers.h"
#include "../root.h"
#include "calls.h"
#include "view.h"

#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Threads of one user, and this user has one program. */
enum { MOST_THREADS = 32, MOST_FILES = 256, MOST_ID = 0x7ffffffe };

static long number(const char *text, long most, const char *what) {
  char *end;
  long value = strtol(text, &end, 10);
  if (*end || end == text || value < 1 || value > most) refuse(what, text);
  return value;
}

/* What goes through a lane goes in larger portions: each change from one process to the other costs more than a copy.
 */
static void widen(int descriptors) {
  const int bytes = 1 << 20;
  for (int lane = STDERR_FILENO + 1; lane < descriptors; lane++)
    setsockopt(lane, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof bytes); /* One that is no socket stays as it is. */
}

static void become(uid_t id) {
  if (setgroups(0, NULL) < 0) fail("dropping groups", "");
  if (setresgid(id, id, id) < 0) fail("a group of its own", "");
  powers_bound(0);
  if (setresuid(id, id, id) < 0) fail("a user of its own", "");
  powers_keep(0);
  if (setresuid(0, 0, 0) == 0) refuse("root could be had back", "");
}

int main(int argc, char **argv) {
  if (argc < 5) refuse("courier-cage takes a user, descriptors, paths and a program", "");
  uid_t id = (uid_t)number(argv[1], MOST_ID, "no user");
  long descriptors = number(argv[2], MOST_FILES, "no number of descriptors");
  int at = 3;
  while (at < argc && strcmp(argv[at], "--"))
    at++;
  if (at + 1 >= argc) refuse("there is no program", "");
  char **program = argv + at + 1;

  umask(022);
  if (syscall(SYS_close_range, descriptors, ~0u, 0) < 0) fail("closing descriptors", "");
  widen((int)descriptors);
  if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0) fail("namespaces of its own", "");
  view_enter(argv + 3, (size_t)(at - 3), program[0]);
  become(id);
  /* A change of user forgets it. */
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) fail("parent-death signal", "");
  powers_limit(RLIMIT_CORE, 0);
  powers_limit(RLIMIT_FSIZE, 0);
  powers_limit(RLIMIT_MEMLOCK, 0);
  powers_limit(RLIMIT_MSGQUEUE, 0);
  powers_limit(RLIMIT_NOFILE, MOST_FILES);
  powers_limit(RLIMIT_NPROC, MOST_THREADS);
  powers_no_new();
  calls_confine();
  /* Each thread's arena of the C library keeps a few MiB that are free. */
  char *environment[] = {"MALLOC_ARENA_MAX=1", NULL};
  execve(program[0], program, environment);
  fail("starting", program[0]);
}
