/* What a process in a box is. */
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static void lines_of_status(void) {
  static const char *const keys[] = {"CapInh:",     "CapPrm:",  "CapEff:", "CapBnd:", "CapAmb:",
                                     "NoNewPrivs:", "Seccomp:", "Groups:", "SigIgn:", "SigBlk:"};
  static char text[8192];
  int fd = open("/proc/self/status", O_RDONLY);
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  text[length > 0 ? length : 0] = 0;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    char *at = strstr(text, keys[i]);
    if (!at) continue;
    at += strlen(keys[i]);
    at += strspn(at, " \t");
    char value[128];
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\n"), at);
    say(keys[i], value);
  }
}

static void descriptors(void) {
  char open_ones[256] = "";
  for (int fd = 0; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) >= 0)
      snprintf(open_ones + strlen(open_ones), sizeof open_ones - strlen(open_ones), "%s%d", *open_ones ? " " : "", fd);
  say("descriptors", open_ones);
}

static void limit(const char *name, int resource) {
  struct rlimit value;
  getrlimit(resource, &value);
  char text[64];
  snprintf(text, sizeof text, "%lld %lld", (long long)value.rlim_cur, (long long)value.rlim_max);
  say(name, text);
}

void show_self(void) {
  descriptors();
  lines_of_status();
  limit("limit core", RLIMIT_CORE);
  limit("limit open files", RLIMIT_NOFILE);
  limit("limit locked memory", RLIMIT_MEMLOCK);
  limit("limit message queues", RLIMIT_MSGQUEUE);
  char text[128];
  mode_t mask = umask(0);
  umask(mask);
  snprintf(text, sizeof text, "%03o", mask);
  say("umask", text);
  snprintf(text, sizeof text, "%d %d %d", getpid(), getppid(), getsid(0));
  say("pid, parent, session", text);
  snprintf(text, sizeof text, "%d:%d", getuid(), getgid());
  say("ids", text);
  struct utsname names;
  uname(&names);
  say("hostname", names.nodename);
}
