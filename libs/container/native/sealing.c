#include "sealing.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* V8 marks its heap MADV_DONTFORK (v8_enable_private_mapping_fork_optimization): a child would lack it and crash.
 * Nothing is mapped after this, because nothing runs. */
static int keep_memory_over_fork(void) {
  char *line = NULL;
  size_t room = 0;
  FILE *maps = fopen("/proc/self/maps", "re");
  if (!maps) return -1;
  while (getline(&line, &room, maps) > 0) {
    unsigned long from, to;
    /* Special mappings (vvar) refuse, and are copied anyway. */
    if (sscanf(line, "%lx-%lx", &from, &to) == 2) madvise((void *)from, to - from, MADV_DOFORK);
  }
  free(line);
  fclose(maps);
  return 0;
}

/* Of loops other than the main one (Node's scheduler of delayed tasks): forks would share them, and through them speak
 * to each other. */
enum { MAX_FOREIGN = 16 };
static struct { int fd, is_epoll; } foreign[MAX_FOREIGN];
static size_t foreign_count;

static int of_loop(const uv_loop_t *loop, int fd) {
  return fd == loop->backend_fd || fd == loop->async_io_watcher.fd || fd == loop->async_wfd ||
         fd == loop->signal_pipefd[0] || fd == loop->signal_pipefd[1];
}

/* Answers 0 for a descriptor that may be there. Pipes are libuv's own, for signals: its fork handlers renew them.
 * /dev/null is its reserve for when descriptors run out, and holds no state to share. */
static int take_stock(const uv_loop_t *loop, int fd, const char *what) {
  if (fd <= STDERR_FILENO + 1 || of_loop(loop, fd)) return 0;
  if (!strncmp(what, "pipe:", 5) || !strcmp(what, "/dev/null")) return 0;
  int is_epoll = !strcmp(what, "anon_inode:[eventpoll]");
  if ((!is_epoll && strcmp(what, "anon_inode:[eventfd]")) || foreign_count == MAX_FOREIGN) return -1;
  foreign[foreign_count].fd = fd;
  foreign[foreign_count++].is_epoll = is_epoll;
  return 0;
}

static const char *take_stock_of_all(const uv_loop_t *loop) {
  static char open_file[300];
  DIR *dir = opendir("/proc/self/fd");
  if (!dir) return "/proc/self/fd cannot be read";
  open_file[0] = 0;
  for (struct dirent *entry; !open_file[0] && (entry = readdir(dir));) {
    int fd = atoi(entry->d_name);
    char what[256];
    ssize_t length = readlinkat(dirfd(dir), entry->d_name, what, sizeof what - 1);
    if (length < 0 || fd == dirfd(dir)) continue;
    what[length] = 0;
    if (take_stock(loop, fd, what) < 0) snprintf(open_file, sizeof open_file, "descriptor %d: %s", fd, what);
  }
  closedir(dir);
  return open_file[0] ? open_file : NULL;
}

const char *seal(uv_loop_t *loop) {
  const char *open_file = take_stock_of_all(loop);
  if (open_file) return open_file;
  return keep_memory_over_fork() < 0 ? "/proc/self/maps cannot be read" : NULL;
}

int unshare_loop(uv_loop_t *loop) {
  for (size_t i = 0; i < foreign_count; i++) {
    int own = foreign[i].is_epoll ? epoll_create1(EPOLL_CLOEXEC) : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (own < 0 || dup3(own, foreign[i].fd, O_CLOEXEC) < 0) return -1;
    close(own);
  }
  int error = uv_loop_fork(loop);
  if (error) errno = -error;
  return error ? -1 : 0;
}

/* OpenSSL reseeds when it sees another pid; in pid namespaces two processes may have the same one. */
int reseed(void) {
  unsigned char entropy[48];
  EVP_RAND_CTX *all[] = {RAND_get0_primary(NULL), RAND_get0_public(NULL), RAND_get0_private(NULL)};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    if (getrandom(entropy, sizeof entropy, 0) != sizeof entropy) return -1;
    if (!all[i] || !EVP_RAND_reseed(all[i], 0, entropy, sizeof entropy, NULL, 0)) {
      errno = EIO;
      return -1;
    }
  }
  explicit_bzero(entropy, sizeof entropy);
  return 0;
}
