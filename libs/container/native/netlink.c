#include "netlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct nlmsghdr *head_of(struct nl *request) {
  return (struct nlmsghdr *)(void *)request->bytes;
}

/* What is asked for here fits by far; a request that did not would be refused by the kernel as cut short. */
static char *grow(struct nl *request, size_t size) {
  struct nlmsghdr *head = head_of(request);
  size_t at = NLMSG_ALIGN(head->nlmsg_len);
  if (at + size > sizeof request->bytes) return NULL;
  head->nlmsg_len = (unsigned)(at + size);
  return request->bytes + at;
}

int nl_open(void) {
  return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
}

void nl_begin(struct nl *request, int type, int flags, const void *head, size_t size) {
  memset(request, 0, sizeof *request);
  *head_of(request) = (struct nlmsghdr){.nlmsg_len = NLMSG_HDRLEN,
                                        .nlmsg_type = (unsigned short)type,
                                        .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | flags)};
  memcpy(grow(request, size), head, size);
}

void nl_put(struct nl *request, int type, const void *data, size_t size) {
  char *at = grow(request, RTA_LENGTH(size));
  if (!at) return;
  *(struct rtattr *)(void *)at =
      (struct rtattr){.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = (unsigned short)type};
  if (size) memcpy(at + RTA_LENGTH(0), data, size);
}

size_t nl_nest(struct nl *request, int type) {
  size_t nest = NLMSG_ALIGN(head_of(request)->nlmsg_len);
  nl_put(request, type, NULL, 0);
  return nest;
}

void nl_end(struct nl *request, size_t nest) {
  ((struct rtattr *)(void *)(request->bytes + nest))->rta_len = (unsigned short)(head_of(request)->nlmsg_len - nest);
}

int nl_ask(int fd, struct nl *request, void *answer, size_t size) {
  _Alignas(8) char bytes[4096];
  struct nlmsghdr *asked = head_of(request);
  if (!answer) asked->nlmsg_flags |= NLM_F_ACK;
  if (send(fd, request->bytes, asked->nlmsg_len, 0) < 0) return -1;
  ssize_t length;
  while ((length = recv(fd, bytes, sizeof bytes, 0)) < 0 && errno == EINTR) {
  }
  if (length < 0) return -1;
  const struct nlmsghdr *got = (const struct nlmsghdr *)(const void *)bytes;
  if (!NLMSG_OK(got, (unsigned)length)) {
    errno = EPROTO;
    return -1;
  }
  if (got->nlmsg_type == NLMSG_ERROR) {
    int error = -((const struct nlmsgerr *)NLMSG_DATA(got))->error;
    errno = error;
    return error ? -1 : 0;
  }
  size_t body = got->nlmsg_len - NLMSG_HDRLEN;
  if (!answer || body > size) {
    errno = EMSGSIZE;
    return -1;
  }
  memcpy(answer, NLMSG_DATA(got), body);
  return (int)body;
}
