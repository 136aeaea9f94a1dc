import { writeFileSync } from "node:fs";
import { NetworkError } from "./error.ts";
import { sysctl } from "./host-state.ts";

/**
 * IPv4 is forwarded by the interface that a packet came in by: our bridge, and for the answers the interfaces of the default routes. The
 * host's own switch for all of them, net.ipv4.ip_forward, is left as it is. IPv6 has no such switch for one interface: boxes have IPv6
 * where the host forwards it already, and we never switch it on, since a host that forwards does not hear router advertisements any more.
 */
const forwarding = (device: string): string => `net/ipv4/conf/${device}/forwarding`;

export const isClosed = (device: string): boolean => sysctl(forwarding(device)) === "0";

export const openForwarding = (device: string): void => set(forwarding(device), "1");

/** Best effort: an interface that has gone needs nothing. */
export function closeForwarding(device: string): void {
  if (sysctl(forwarding(device)) !== null) set(forwarding(device), "0");
}

/** What a router that trusts none of its clients sets on the interface to them. */
export function settleBridge(bridge: string, ipv6: boolean): void {
  openForwarding(bridge);
  set(`net/ipv4/conf/${bridge}/rp_filter`, "1");
  set(`net/ipv4/conf/${bridge}/send_redirects`, "0");
  set(`net/ipv4/conf/${bridge}/accept_redirects`, "0");
  if (sysctl(`net/ipv6/conf/${bridge}/accept_ra`) === null) return; // a kernel without IPv6
  set(`net/ipv6/conf/${bridge}/accept_ra`, "0");
  set(`net/ipv6/conf/${bridge}/disable_ipv6`, ipv6 ? "0" : "1");
}

function set(name: string, value: string): void {
  try {
    writeFileSync(`/proc/sys/${name}`, value);
  } catch (error) {
    const sysctlName = name.replaceAll("/", ".");
    throw new NetworkError(
      `write ${value} to /proc/sys/${name}`,
      (error as NodeJS.ErrnoException).code ?? String(error),
      `set it yourself: sysctl -w ${sysctlName}=${value}; in a container /proc/sys may be read-only`,
      error,
    );
  }
}
