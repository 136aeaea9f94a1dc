import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";

/** Networks that are no part of the public internet (IANA special-purpose registries), and what IPv6 can hide an IPv4 address in. */
const SPECIAL_V4 =
  "0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.168.0.0/16 198.18.0.0/15 224.0.0.0/4 240.0.0.0/4";
const SPECIAL_V6 = "::/96 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 2002::/16 fc00::/7 fe80::/10 ff00::/8";

/** One list for each family: a list takes an IPv4 address for its IPv6 form as well, and `::ffff:0:0/96` holds them all. */
const special = { ipv4: blockList(SPECIAL_V4, "ipv4"), ipv6: blockList(SPECIAL_V6, "ipv6") };

function blockList(networks: string, family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const network of networks.split(" ")) {
    const [address, prefix] = network.split("/") as [string, string];
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

/** Whether an address is one of the public internet. An IPv6 address that holds an IPv4 address is never. */
export function isOrdinaryAddress(address: string): boolean {
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  return !special[family].check(address, family);
}

/** Whether every address that a URL's host has is one of the public internet. False when it has none. */
export async function isPublicHost(url: URL): Promise<boolean> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(hostname)) return isOrdinaryAddress(hostname);
  try {
    const found = await lookup(hostname, { all: true });
    return found.length > 0 && found.every(({ address }) => isOrdinaryAddress(address));
  } catch {
    return false;
  }
}
