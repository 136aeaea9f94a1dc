#include "terminal.h"
#include "step.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GID_TTY = 5, HEAD = 3 };
/* What others in the box go on writing when its main process has ended is not waited for without end. */
enum { LAST_ROUNDS = 256 };

struct terminal terminal_open(const struct request *request, unsigned base) {
  struct terminal made;
  made.master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
  STEP("open terminal", made.master);
  int locked = 0;
  STEP("unlock terminal", ioctl(made.master, TIOCSPTLCK, &locked));
  made.slave = ioctl(made.master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  STEP("open terminal's other end", made.slave);
  STEP("owner of terminal", fchown(made.slave, base + request->uid, base + GID_TTY));
  made.socket = request->fds[request->fd_count - 1];
  STEP("terminal's socket", fcntl(made.socket, F_SETFL, O_NONBLOCK));
  return made;
}

struct buffer {
  unsigned char bytes[2 * TERMINAL_PART];
  size_t length;
};

static void drop(struct buffer *buffer, size_t count) {
  memmove(buffer->bytes, buffer->bytes + count, buffer->length -= count);
}

static size_t number(const unsigned char *bytes) {
  return bytes[0] | (size_t)bytes[1] << 8;
}

static int is_whole(const struct buffer *orders) {
  return orders->length >= HEAD && orders->length >= HEAD + number(orders->bytes + 1);
}

/* Hands on whole messages, as far as the terminal takes them. What it does not take of a message waits as one. */
static void obey(struct buffer *orders, int master) {
  while (is_whole(orders)) {
    size_t length = number(orders->bytes + 1);
    if (orders->bytes[0] == TERMINAL_SIZE && length == 4) {
      struct winsize size = {.ws_row = (unsigned short)number(orders->bytes + HEAD),
                             .ws_col = (unsigned short)number(orders->bytes + HEAD + 2)};
      ioctl(master, TIOCSWINSZ, &size);
    } else if (orders->bytes[0] == TERMINAL_INPUT && length > 0) {
      ssize_t taken = write(master, orders->bytes + HEAD, length);
      if (taken < 0) return;
      if ((size_t)taken < length) {
        memmove(orders->bytes + HEAD, orders->bytes + HEAD + taken, orders->length - HEAD - (size_t)taken);
        orders->length -= (size_t)taken;
        length -= (size_t)taken;
        orders->bytes[1] = (unsigned char)length;
        orders->bytes[2] = (unsigned char)(length >> 8);
        return;
      }
    }
    drop(orders, HEAD + length);
  }
}

/* Answers how much was read; 0 when there is nothing, or no room. */
static size_t take(struct buffer *buffer, int fd) {
  size_t room = sizeof buffer->bytes - buffer->length;
  ssize_t length = room ? read(fd, buffer->bytes + buffer->length, room) : 0;
  if (length <= 0) return 0;
  buffer->length += (size_t)length;
  return (size_t)length;
}

static void give(struct buffer *output, int socket) {
  ssize_t sent = output->length ? send(socket, output->bytes, output->length, MSG_NOSIGNAL) : 0;
  if (sent > 0)
    drop(output, (size_t)sent);
  else if (sent < 0 && errno != EAGAIN)
    output->length = 0; /* the worker has gone, and so shall we */
}

/* Whatever is orphaned comes here as well. Answers whether the main process has ended. */
static int reaped(pid_t main, int *status) {
  int found = 0, one;
  for (pid_t pid; (pid = waitpid(-1, &one, WNOHANG)) > 0;)
    if (pid == main) {
      *status = one;
      found = 1;
    }
  return found;
}

/* A read of a terminal says that nothing is there only when nothing is on its way (n_tty_read). */
static void finish(const struct terminal *terminal, struct buffer *output) {
  for (int round = 0; round < LAST_ROUNDS; round++) {
    size_t more = take(output, terminal->master);
    if (!more && !output->length) return;
    struct pollfd room = {.fd = terminal->socket, .events = POLLOUT};
    poll(&room, 1, -1);
    give(output, terminal->socket);
  }
}

int terminal_serve(const struct terminal *terminal, pid_t main) {
  static struct buffer orders, output;
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  int status = 0, is_open = 1;
  while (!reaped(main, &status)) {
    int has_room = orders.length < sizeof orders.bytes;
    struct pollfd fds[] = {
        {.fd = children, .events = POLLIN},
        {.fd = terminal->master,
         .events = (short)((output.length < sizeof output.bytes ? POLLIN : 0) | (is_whole(&orders) ? POLLOUT : 0))},
        {.fd = terminal->socket, .events = (short)((is_open && has_room ? POLLIN : 0) | (output.length ? POLLOUT : 0))},
    };
    poll(fds, 3, -1);
    struct signalfd_siginfo info;
    if (fds[0].revents && read(children, &info, sizeof info) < 0) continue;
    if (fds[1].revents & POLLIN) take(&output, terminal->master);
    if (fds[2].revents & POLLIN && has_room && !take(&orders, terminal->socket)) is_open = 0;
    obey(&orders, terminal->master);
    give(&output, terminal->socket);
  }
  finish(terminal, &output);
  return status;
}
