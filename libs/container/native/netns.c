#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ready = -1;

static int loopback_up(void) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  struct ifreq request = {.ifr_name = "lo"};
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int result = ioctl(fd, SIOCSIFFLAGS, &request);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

/* Steps into a new namespace, keeps a descriptor of it, steps back: no process is needed for it. */
int netns_make(void) {
  int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0) return -1;
  int made = -1;
  int error = 0;
  if (unshare(CLONE_NEWNET) == 0) {
    if (loopback_up() == 0) made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    error = errno;
    /* A thread that stays behind would do its next work in a box's namespace. */
    if (setns(own, CLONE_NEWNET) < 0) abort();
  } else
    error = errno;
  close(own);
  errno = error;
  return made;
}

int netns_take(void) {
  int taken = ready;
  ready = -1;
  return taken >= 0 ? taken : netns_make();
}

void netns_refill(void) {
  if (ready < 0) ready = netns_make();
}
