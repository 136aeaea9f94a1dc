/* A network namespace for one box that may reach the outside: a veth pair whose host end is a port of our bridge, an
 * address, a way to the gateway. Nothing of it has a name that outlives it: when the last descriptor and the last
 * process are gone, the kernel takes the namespace and both ends of the pair away. */
#pragma once
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>

struct wiring {
  char bridge[IFNAMSIZ];
  char port[IFNAMSIZ]; /* name of the host end; in the box it is eth0 */
  unsigned char mac[6];
  uint32_t mtu;
  struct in_addr address, gateway;
  struct in6_addr address6, gateway6;
  int has_v6;
};

/* Answers a descriptor of the namespace; below zero with errno and the step that failed. Steps out of the calling
 * thread's network namespace and back into it: for a thread that does nothing else meanwhile. */
int wire(const struct wiring *wiring, const char **step);

/* What the host end of a port has counted. Below zero with errno. */
int port_bytes(const char *port, uint64_t *received, uint64_t *sent);
