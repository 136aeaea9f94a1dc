import { existsSync, readFileSync } from "node:fs";
import { command } from "./command.ts";
import { type Ipv4Network, parseIpv4Network } from "./ipv4.ts";

/** What of the host's network ours has to fit into. */
interface HostNetwork {
  /** Networks and addresses that the host knows a way to, its own ones among them. */
  readonly taken: readonly Ipv4Network[];
  /** Interfaces by which the default routes lead. */
  readonly uplinks: readonly string[];
  readonly mtu: number;
  /** Whether the host forwards IPv6. */
  readonly ipv6: boolean;
}

interface Route {
  readonly dst: string;
  readonly dev?: string;
}

/** Routes as wide as this are somebody's default route (a VPN's 0.0.0.0/1). */
const DEFAULT_PREFIX = 7;
const ETHERNET_MTU = 1500;

/** @throws NetworkError when ip cannot be run */
export async function readHostNetwork(): Promise<HostNetwork> {
  const routes = JSON.parse(await command("ip", ["-j", "-4", "route", "show", "table", "all"])) as Route[];
  const links = JSON.parse(await command("ip", ["-j", "link"])) as { ifname: string; mtu: number }[];
  const networks = routes.map((route) => ({ dev: route.dev, network: networkOf(route.dst) }));
  const isDefault = ({ network }: { network: Ipv4Network | null }) =>
    network === null || network.prefix <= DEFAULT_PREFIX;
  const uplinks = new Set(networks.filter(isDefault).flatMap(({ dev }) => (dev === undefined ? [] : [dev])));
  uplinks.delete("lo");
  const mtus = links.filter((link) => uplinks.has(link.ifname)).map((link) => link.mtu);
  return {
    taken: networks.filter((route) => !isDefault(route)).map((route) => route.network!),
    uplinks: [...uplinks],
    mtu: Math.min(ETHERNET_MTU, ...mtus),
    ipv6: sysctl("net/ipv6/conf/all/forwarding") === "1",
  };
}

const networkOf = (dst: string): Ipv4Network | null => (dst === "default" ? null : parseIpv4Network(dst));

/** Whether this network namespace has an interface of that name. /sys would show those of whoever mounted it. */
export const hasInterface = (name: string): boolean =>
  new RegExp(`^\\s*${name}:`, "m").test(readFileSync("/proc/net/dev", "utf8"));

/** null: the kernel has none of that name. */
export function sysctl(name: string): string | null {
  const path = `/proc/sys/${name}`;
  return existsSync(path) ? readFileSync(path, "utf8").trim() : null;
}
