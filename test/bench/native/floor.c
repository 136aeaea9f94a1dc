/*
 * What the kernel alone takes for a box: a fork into new namespaces, the mounts of a root file system, the step into
 * it, exit. COUNT times over, one after the other. No cgroup, no ids, no filter, no exec: less than this no container
 * of this shape can cost.
 *
 *   floor COUNT WORK_DIR LAYER...     a LAYER is a read-only folder, topmost first
 *
 * Prints {"wall_us":…,"cpu_us":…} for one of them; CPU is of this process and its children (getrusage(2)).
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP };

static void must(const char *what, long result) {
  if (result >= 0) return;
  fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
  _exit(71);
}

static void overlay_options(char *options, size_t size, char **layers) {
  size_t used = (size_t)snprintf(options, size, "lowerdir=%s", layers[0]);
  for (char **layer = layers + 1; *layer && used < size; layer++)
    used += (size_t)snprintf(options + used, size - used, ":%s", *layer);
  if (used < size) used += (size_t)snprintf(options + used, size - used, ",upperdir=u,workdir=w,volatile");
  if (used >= size) errno = ENAMETOOLONG;
  must("the layers' names", used < size ? 0 : -1);
}

static _Noreturn void box(const char *work, const char *options) {
  must("tmpfs", mount("floor", work, "tmpfs", MS_NOSUID | MS_NODEV, "size=64m,mode=0711"));
  must("enter tmpfs", chdir(work));
  must("mkdir u", mkdir("u", 0755));
  must("mkdir w", mkdir("w", 0700));
  must("mkdir m", mkdir("m", 0700));
  must("overlay", mount("overlay", "m", "overlay", MS_NOSUID | MS_NODEV, options));
  must("enter root", chdir("m"));
  must("/proc", mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
  must("pivot_root", syscall(SYS_pivot_root, ".", "."));
  must("drop the old root", umount2(".", MNT_DETACH));
  must("enter /", chdir("/"));
  _exit(0);
}

static double microseconds(struct timeval time) {
  return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static double cpu_us(void) {
  double sum = 0;
  for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
    struct rusage usage;
    must("getrusage", getrusage(who, &usage));
    sum += microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
  }
  return sum;
}

static double now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: floor COUNT WORK_DIR LAYER...\n");
    return 64;
  }
  int count = atoi(argv[1]);
  char options[4096];
  overlay_options(options, sizeof options, argv + 3);
  must("a mount namespace of its own", unshare(CLONE_NEWNS));
  must("private mounts", mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
  double began = now_us(), cpu = cpu_us();
  for (int i = 0; i < count; i++) {
    pid_t pid = (pid_t)syscall(SYS_clone, NAMESPACES | SIGCHLD, NULL, NULL, NULL, NULL);
    if (pid == 0) box(argv[2], options);
    must("clone", pid);
    int status;
    must("wait", waitpid(pid, &status, 0));
    if (status != 0) return 71;
  }
  printf("{\"wall_us\":%.1f,\"cpu_us\":%.1f}\n", (now_us() - began) / count, (cpu_us() - cpu) / count);
}
