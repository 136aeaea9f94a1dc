/* What Node cannot do by itself: pairs of sockets, pipes, and sending descriptors with a message. N-API, no state. */
#include "addon_network.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static napi_value fail(napi_env env, const char *what) {
  napi_throw_error(env, strerrorname_np(errno), what);
  return NULL;
}

static napi_value pair(napi_env env, const int *fds) {
  napi_value array;
  napi_create_array_with_length(env, 2, &array);
  for (uint32_t i = 0; i < 2; i++) {
    napi_value fd;
    napi_create_int32(env, fds[i], &fd);
    napi_set_element(env, array, i, fd);
  }
  return array;
}

/* socketPair(datagrams: boolean) → [fd, fd]: SOCK_SEQPACKET or SOCK_STREAM, close-on-exec */
static napi_value socket_pair(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value arg;
  bool packets = false;
  napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
  napi_get_value_bool(env, arg, &packets);
  int fds[2];
  if (socketpair(AF_UNIX, (packets ? SOCK_SEQPACKET : SOCK_STREAM) | SOCK_CLOEXEC, 0, fds) < 0)
    return fail(env, "socketpair");
  int size = 1 << 20;
  if (packets) setsockopt(fds[0], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
  return pair(env, fds);
}

/* pipe() → [read end, write end], close-on-exec */
static napi_value make_pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int fds[2];
  if (pipe2(fds, O_CLOEXEC) < 0) return fail(env, "pipe");
  return pair(env, fds);
}

/* send(socket, bytes: Uint8Array, descriptors: number[]): one message, whole or not at all. Throws EAGAIN when the peer
 * is behind. */
static napi_value send_message(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value args[3];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  int32_t socket;
  void *bytes;
  size_t length;
  uint32_t fd_count = 0;
  if (napi_get_value_int32(env, args[0], &socket) != napi_ok ||
      napi_get_typedarray_info(env, args[1], NULL, &length, &bytes, NULL, NULL) != napi_ok ||
      napi_get_array_length(env, args[2], &fd_count) != napi_ok || fd_count > 8) {
    napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "send(socket, bytes, descriptors)");
    return NULL;
  }
  union {
    struct cmsghdr head;
    char room[CMSG_SPACE(8 * sizeof(int))];
  } control = {0};
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (fd_count) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
    control.head = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(fd_count * sizeof(int))};
    for (uint32_t i = 0; i < fd_count; i++) {
      napi_value element;
      int32_t fd;
      napi_get_element(env, args[2], i, &element);
      napi_get_value_int32(env, element, &fd);
      memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &fd, sizeof fd);
    }
  }
  if (sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return fail(env, "sendmsg");
  return NULL;
}

/* Runs in the namespace with this thread alone; back afterwards, or the process may not go on. */
static int socket_in(int netns) {
  static int own = -1;
  if (own < 0) own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (own < 0 || setns(netns, CLONE_NEWNET) < 0) return -1;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = errno;
  if (setns(own, CLONE_NEWNET) < 0) abort();
  errno = error;
  return fd;
}

static int numbers(napi_env env, napi_callback_info info, int32_t *netns, uint32_t *port) {
  size_t count = 2;
  napi_value args[2];
  napi_get_cb_info(env, info, &count, args, NULL, NULL);
  if (napi_get_value_int32(env, args[0], netns) == napi_ok && napi_get_value_uint32(env, args[1], port) == napi_ok &&
      *port <= 65535)
    return 0;
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", "(network namespace, port)");
  return -1;
}

static struct sockaddr_in loopback(uint32_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static napi_value fd_or_throw(napi_env env, int fd, const char *what, int failed) {
  napi_value result;
  if (failed) {
    int error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return fail(env, what);
  }
  napi_create_int32(env, fd, &result);
  return result;
}

/* connectIn(netns, port) → fd: to 127.0.0.1 of the namespace. It never waits: on loopback a connection is there at once
 * or refused; when the listener's queue is full it throws EAGAIN. */
static napi_value connect_in(napi_env env, napi_callback_info info) {
  int32_t netns;
  uint32_t port;
  if (numbers(env, info, &netns, &port) < 0) return NULL;
  struct sockaddr_in address = loopback(port);
  int fd = socket_in(netns);
  int failed = fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0;
  if (failed && fd >= 0 && errno == EINPROGRESS) {
    struct pollfd made = {.fd = fd, .events = POLLOUT};
    socklen_t size = sizeof errno;
    int error = EAGAIN;
    if (poll(&made, 1, 0) > 0) getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    errno = error;
    failed = error != 0;
  }
  return fd_or_throw(env, fd, "connect", failed);
}

/* listenIn(netns, port) → fd: listens on 127.0.0.1 of the namespace. */
static napi_value listen_in(napi_env env, napi_callback_info info) {
  int32_t netns;
  uint32_t port;
  if (numbers(env, info, &netns, &port) < 0) return NULL;
  struct sockaddr_in address = loopback(port);
  int fd = socket_in(netns);
  int failed = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, 16) < 0;
  return fd_or_throw(env, fd, "listen", failed);
}

NAPI_MODULE_INIT() {
  const struct {
    const char *name;
    napi_callback call;
  } functions[] = {{"socketPair", socket_pair},       {"pipe", make_pipe},         {"send", send_message},
                   {"connectIn", connect_in},         {"listenIn", listen_in},     {"makeNamespace", make_namespace},
                   {"wireNamespace", wire_namespace}, {"portBytes", bytes_of_port}};
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
    napi_value function;
    napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &function);
    napi_set_named_property(env, exports, functions[i].name, function);
  }
  return exports;
}
