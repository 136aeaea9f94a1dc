/* Behaviours that a box ends or limits. */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn int spin(long unused) {
  (void)unused;
  for (;;)
    ;
}

static _Noreturn int sleep_on(long unused) {
  (void)unused;
  for (;;)
    pause();
}

static int end(long code) {
  return (int)code;
}

static int die(long number) {
  return raise((int)number);
}

/* Touches so many MiB and keeps them. */
static int hog(long mib) {
  for (long i = 0; i < mib; i++)
    memset(malloc(1 << 20), 1, 1 << 20);
  return 0;
}

static int processes_in_proc(void) {
  DIR *dir = opendir("/proc");
  int count = 0;
  struct dirent *entry;
  while ((entry = readdir(dir)))
    count += atoi(entry->d_name) > 0;
  closedir(dir);
  return count;
}

/* Grandchildren that outlive their parent and then end: PID 1 has to reap them. Says how many processes are left. */
static int orphans(long count) {
  for (long i = 0; i < count; i++) {
    pid_t child = fork();
    if (child == 0) {
      if (fork() == 0) usleep(10000);
      _exit(0);
    }
    if (child < 0) return 1;
    waitpid(child, NULL, 0);
  }
  for (int waited = 0; waited < 100 && processes_in_proc() > 2; waited++)
    usleep(10000);
  printf("%d\n", processes_in_proc());
  return 0;
}

/* As many children as it may have; says how many and why no more, and leaves them behind. */
static int forks(long wanted) {
  long made = 0;
  for (; made < wanted; made++) {
    pid_t pid = fork();
    if (pid < 0) break;
    if (pid == 0) sleep_on(0);
  }
  printf("%ld %s\n", made, made < wanted ? strerrorname_np(errno) : "ok");
  return 0;
}

/* Every child forks as well, for ever. */
static _Noreturn int bomb(long unused) {
  (void)unused;
  for (;;)
    fork();
}

static int fill(const char *path, long mib) {
  static char block[1 << 16];
  int fd = open(path, O_CREAT | O_WRONLY, 0600);
  long written = 0;
  while (written < mib << 20) {
    ssize_t wrote = write(fd, block, sizeof block);
    if (wrote < 0) break;
    written += wrote;
  }
  printf("%ld %s\n", written >> 20, written < mib << 20 ? strerrorname_np(errno) : "ok");
  return 0;
}

static int fill_tmp(long mib) {
  return fill("/tmp/fill", mib);
}

static int fill_shm(long mib) {
  return fill("/dev/shm/fill", mib);
}

/* Sends back whatever comes over the channel. */
static int echo(long unused) {
  (void)unused;
  static char block[1 << 16];
  ssize_t length;
  while ((length = read(3, block, sizeof block)) > 0)
    for (ssize_t sent = 0; sent < length;) {
      ssize_t wrote = write(3, block + sent, (size_t)(length - sent));
      if (wrote < 0) return 1;
      sent += wrote;
    }
  return 0;
}

int habit(const char *name, long number) {
  static const struct {
    const char *name;
    int (*run)(long);
  } habits[] = {{"spin", spin},     {"sleep", sleep_on},    {"exit", end},    {"signal", die},
                {"hog", hog},       {"orphans", orphans},   {"forks", forks}, {"bomb", bomb},
                {"fill", fill_tmp}, {"fill-shm", fill_shm}, {"echo", echo}};
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (size_t i = 0; i < sizeof habits / sizeof *habits; i++)
    if (!strcmp(habits[i].name, name)) return habits[i].run(number);
  fprintf(stderr, "probe: no habit is called %s\n", name);
  return 64;
}
