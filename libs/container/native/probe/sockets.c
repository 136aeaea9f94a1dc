/* Families and options that reach parts of the kernel which a function has no use for. */
#include "probe.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int pair_of(int family) {
  int ends[2];
  int result = socketpair(family, SOCK_STREAM, 0, ends);
  if (result < 0) return result;
  close(ends[0]);
  close(ends[1]);
  return result;
}

void try_sockets(void) {
  tried("socket AF_ALG", socket(38, SOCK_SEQPACKET, 0));
  tried("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW, 0));
  tried("socket AF_VSOCK", socket(40, SOCK_STREAM, 0));
  tried("socket AF_XDP", socket(44, SOCK_RAW, 0));
  tried("socket AF_KEY", socket(15, SOCK_RAW, 2));
  tried("socket AF_RXRPC", socket(33, SOCK_DGRAM, 2));
  tried("socket AF_BLUETOOTH", socket(31, SOCK_RAW, 0));
  tried("socket AF_TIPC", socket(30, SOCK_STREAM, 0));
  tried("socket AF_CAN", socket(29, SOCK_RAW, 1));
  tried("socket AF_ALG with high bits", syscall(SYS_socket, 0x100000026l, SOCK_SEQPACKET, 0));
  tried("socket NETLINK_XFRM", socket(AF_NETLINK, SOCK_RAW, 6));
  tried("socket NETLINK_AUDIT", socket(AF_NETLINK, SOCK_RAW, 9));
  tried("socket NETLINK_NETFILTER", socket(AF_NETLINK, SOCK_RAW, 12));
  tried("socket NETLINK_ROUTE", socket(AF_NETLINK, SOCK_RAW, 0));
  tried("socket AF_UNIX", socket(AF_UNIX, SOCK_STREAM, 0));
  tried("socket AF_INET", socket(AF_INET, SOCK_STREAM, 0));
  tried("socket AF_INET6", socket(AF_INET6, SOCK_STREAM, 0));
  tried("raw socket", socket(AF_INET, SOCK_RAW, 1));
  tried("socketpair AF_UNIX", pair_of(AF_UNIX));
  tried("socketpair AF_INET", pair_of(AF_INET));
  int tcp = socket(AF_INET, SOCK_STREAM, 0);
  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  int on = 1;
  tried("TCP_ULP", setsockopt(tcp, 6, 31, "none", 5));
  tried("TCP_NODELAY", setsockopt(tcp, 6, 1, &on, sizeof on));
  int l2tp = 3;
  tried("UDP_ENCAP", setsockopt(udp, 17, 100, &l2tp, sizeof l2tp));
  close(tcp);
  close(udp);
  tried("TIOCSTI", ioctl(0, 0x5412, "x"));
  tried("TIOCSTI with high bits", syscall(SYS_ioctl, 0, 0x100005412ul, "x"));
  tried("TIOCLINUX", ioctl(0, 0x541c, "x"));
}
