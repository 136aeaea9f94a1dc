#include "wiring.h"
#include "netlink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAKE = NLM_F_CREATE | NLM_F_EXCL };

static int make_pair(int host, const struct wiring *w, int netns, unsigned bridge) {
  struct nl request;
  struct ifinfomsg up = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  nl_begin(&request, RTM_NEWLINK, MAKE, &up, sizeof up);
  nl_put(&request, IFLA_IFNAME, w->port, strlen(w->port) + 1);
  nl_put(&request, IFLA_MTU, &w->mtu, sizeof w->mtu);
  nl_put(&request, IFLA_MASTER, &bridge, sizeof bridge);
  size_t info = nl_nest(&request, IFLA_LINKINFO);
  nl_put(&request, IFLA_INFO_KIND, "veth", 4);
  size_t data = nl_nest(&request, IFLA_INFO_DATA);
  /* The peer's own header stands before its attributes. */
  size_t peer = nl_nest(&request, VETH_INFO_PEER);
  nl_end(&request, peer);
  struct nlmsghdr *head = (struct nlmsghdr *)(void *)request.bytes;
  struct ifinfomsg inside = {0};
  memcpy(request.bytes + head->nlmsg_len, &inside, sizeof inside);
  head->nlmsg_len += sizeof inside;
  nl_put(&request, IFLA_IFNAME, "eth0", sizeof "eth0");
  nl_put(&request, IFLA_ADDRESS, w->mac, sizeof w->mac);
  nl_put(&request, IFLA_MTU, &w->mtu, sizeof w->mtu);
  nl_put(&request, IFLA_NET_NS_FD, &netns, sizeof netns);
  nl_end(&request, peer);
  nl_end(&request, data);
  nl_end(&request, info);
  return nl_ask(host, &request, NULL, 0);
}

/* An entry in a table of neighbours: of the bridge (which port has the hardware address), or of IP (which hardware
 * address has the IP address, of size 0 for the bridge's). */
static int enter(int host, const struct ndmsg *entry, const void *address, size_t size, const struct wiring *w) {
  struct nl request;
  nl_begin(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, entry, sizeof *entry);
  nl_put(&request, NDA_LLADDR, w->mac, sizeof w->mac);
  if (size) nl_put(&request, NDA_DST, address, size);
  return nl_ask(host, &request, NULL, 0);
}

/* A port that speaks with the bridge alone, never with another port; that learns no address and gets no frame that is
 * not for its box. The host then cannot ask for the box: it is told who it is. */
static int close_off(int host, const struct wiring *w, unsigned bridge, unsigned port) {
  const unsigned char off = 0, on = 1;
  struct nl request;
  struct ifinfomsg link = {.ifi_family = AF_BRIDGE, .ifi_index = (int)port};
  nl_begin(&request, RTM_SETLINK, 0, &link, sizeof link);
  size_t settings = nl_nest(&request, IFLA_PROTINFO | NLA_F_NESTED);
  nl_put(&request, IFLA_BRPORT_ISOLATED, &on, 1);
  nl_put(&request, IFLA_BRPORT_LEARNING, &off, 1);
  nl_put(&request, IFLA_BRPORT_UNICAST_FLOOD, &off, 1);
  nl_put(&request, IFLA_BRPORT_MCAST_FLOOD, &off, 1);
  nl_put(&request, IFLA_BRPORT_BCAST_FLOOD, &off, 1);
  nl_end(&request, settings);
  if (nl_ask(host, &request, NULL, 0) < 0) return -1;
  const struct ndmsg frames = {
      .ndm_family = AF_BRIDGE, .ndm_ifindex = (int)port, .ndm_state = NUD_NOARP, .ndm_flags = NTF_MASTER};
  struct ndmsg packets = {.ndm_family = AF_INET, .ndm_ifindex = (int)bridge, .ndm_state = NUD_PERMANENT};
  if (enter(host, &frames, NULL, 0, w) < 0) return -1;
  if (enter(host, &packets, &w->address, sizeof w->address, w) < 0) return -1;
  packets.ndm_family = AF_INET6;
  return w->has_v6 ? enter(host, &packets, &w->address6, sizeof w->address6, w) : 0;
}

static int link_up(int fd, int index) {
  struct nl request;
  struct ifinfomsg up = {.ifi_index = index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
  nl_begin(&request, RTM_NEWLINK, 0, &up, sizeof up);
  return nl_ask(fd, &request, NULL, 0);
}

struct ends {
  int family;
  const void *address, *gateway;
  size_t size;
};

/* An address without a network: everything but the gateway, other boxes as well, is asked of the gateway, which can
 * refuse it. */
static int address_and_route(int inside, int index, const struct ends *ends) {
  struct nl request;
  struct ifaddrmsg address = {.ifa_family = (unsigned char)ends->family,
                              .ifa_prefixlen = (unsigned char)(ends->size * 8),
                              .ifa_flags = IFA_F_NODAD,
                              .ifa_index = (unsigned)index};
  nl_begin(&request, RTM_NEWADDR, MAKE, &address, sizeof address);
  nl_put(&request, IFA_LOCAL, ends->address, ends->size);
  nl_put(&request, IFA_ADDRESS, ends->address, ends->size);
  if (nl_ask(inside, &request, NULL, 0) < 0) return -1;
  for (int is_default = 0; is_default <= 1; is_default++) {
    struct rtmsg route = {.rtm_family = (unsigned char)ends->family,
                          .rtm_dst_len = (unsigned char)(is_default ? 0 : ends->size * 8),
                          .rtm_table = RT_TABLE_MAIN,
                          .rtm_protocol = RTPROT_STATIC,
                          .rtm_scope = is_default ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                          .rtm_type = RTN_UNICAST};
    nl_begin(&request, RTM_NEWROUTE, MAKE, &route, sizeof route);
    nl_put(&request, is_default ? RTA_GATEWAY : RTA_DST, ends->gateway, ends->size);
    nl_put(&request, RTA_OIF, &index, sizeof index);
    if (nl_ask(inside, &request, NULL, 0) < 0) return -1;
  }
  return 0;
}

/* A namespace's socket asks about its own interfaces, whatever namespace the thread is in by now. */
static int index_of(int fd, const char *name) {
  _Alignas(8) char answer[4000];
  struct nl request;
  struct ifinfomsg any = {0};
  const uint32_t brief = RTEXT_FILTER_SKIP_STATS;
  nl_begin(&request, RTM_GETLINK, 0, &any, sizeof any);
  nl_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
  nl_put(&request, IFLA_EXT_MASK, &brief, sizeof brief);
  if (nl_ask(fd, &request, answer, sizeof answer) < 0) return -1;
  return ((const struct ifinfomsg *)(const void *)answer)->ifi_index;
}

static const char *configure(const struct wiring *w, int host, int inside, int netns) {
  unsigned bridge = if_nametoindex(w->bridge);
  if (!bridge) return "find the bridge";
  if (make_pair(host, w, netns, bridge) < 0) return "make veth pair";
  unsigned port = if_nametoindex(w->port);
  if (!port || close_off(host, w, bridge, port) < 0) return "isolate the bridge's port";
  int index = index_of(inside, "eth0");
  if (index < 0 || link_up(inside, index) < 0) return "bring eth0 up";
  const struct ends v4 = {AF_INET, &w->address, &w->gateway, sizeof w->address};
  if (address_and_route(inside, index, &v4) < 0) return "address and route of eth0";
  const struct ends v6 = {AF_INET6, &w->address6, &w->gateway6, sizeof w->address6};
  if (w->has_v6 && address_and_route(inside, index, &v6) < 0) return "IPv6 address and route of eth0";
  return NULL;
}

static int set(const char *path, const char *value) {
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? 0 : -1; /* a kernel without IPv6 */
  ssize_t written = write(fd, value, 1);
  int error = errno;
  close(fd);
  errno = error;
  return written == 1 ? 0 : -1;
}

/* For interfaces that are made from here on; loopback is there already and keeps ::1. Way and addresses come from us
 * alone: no link-local address (1 is IN6_ADDR_GEN_MODE_NONE), no router's word, no redirect. */
static int settle(const struct wiring *w) {
#define V4 "/proc/sys/net/ipv4/conf/"
#define V6 "/proc/sys/net/ipv6/conf/default/"
  if (set(V4 "all/accept_redirects", "0") < 0 || set(V4 "default/accept_redirects", "0") < 0) return -1;
  if (!w->has_v6) return set(V6 "disable_ipv6", "1");
  return set(V6 "addr_gen_mode", "1") < 0 || set(V6 "accept_ra", "0") < 0 || set(V6 "accept_redirects", "0") < 0 ? -1
                                                                                                                 : 0;
}

/* In the new namespace. A socket stays in the namespace it was made in. */
static const char *furnish(const struct wiring *w, int *netns, int *inside) {
  *netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  if (*netns < 0) return "open network namespace";
  *inside = nl_open();
  int lo = *inside < 0 ? -1 : index_of(*inside, "lo");
  if (lo < 0 || link_up(*inside, lo) < 0) return "bring loopback up";
  if (settle(w) < 0) return "settle the network namespace's sysctls";
  return NULL;
}

int wire(const struct wiring *wiring, const char **step) {
  int netns = -1, inside = -1;
  int host = nl_open();
  int own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
  *step = host < 0 || own < 0 ? "open own network namespace" : NULL;
  if (!*step && unshare(CLONE_NEWNET) < 0) *step = "make network namespace";
  int error = errno;
  if (!*step) {
    *step = furnish(wiring, &netns, &inside);
    error = errno;
    /* A thread that stays behind would do the next job in a box's namespace. */
    if (setns(own, CLONE_NEWNET) < 0) abort();
  }
  if (!*step) {
    *step = configure(wiring, host, inside, netns);
    error = errno;
  }
  const int done[] = {host, own, inside, *step ? netns : -1};
  for (size_t i = 0; i < sizeof done / sizeof *done; i++)
    if (done[i] >= 0) close(done[i]);
  errno = error;
  return *step ? -1 : netns;
}

int port_bytes(const char *port, uint64_t *received, uint64_t *sent) {
  struct {
    struct if_stats_msg head;
    struct rtattr attribute;
    struct rtnl_link_stats64 stats;
    char more[256];
  } answer;
  struct if_stats_msg asked = {.ifindex = if_nametoindex(port),
                               .filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64)};
  int fd = asked.ifindex ? nl_open() : -1;
  if (fd < 0) return -1;
  struct nl request;
  nl_begin(&request, RTM_GETSTATS, 0, &asked, sizeof asked);
  int length = nl_ask(fd, &request, &answer, sizeof answer);
  int error = length < 0 ? errno : EPROTO;
  close(fd);
  errno = error;
  if (length < (int)(sizeof answer - sizeof answer.more) || answer.attribute.rta_type != IFLA_STATS_LINK_64) return -1;
  *received = answer.stats.rx_bytes;
  *sent = answer.stats.tx_bytes;
  return 0;
}
