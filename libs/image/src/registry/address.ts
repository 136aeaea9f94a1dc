import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { SPECIAL_V4, SPECIAL_V6 } from "@mayfly/contract";

/** One list for each family: a list takes an IPv4 address for its IPv6 form as well, and `::ffff:0:0/96` holds them all. */
const special = { ipv4: blockList(SPECIAL_V4, "ipv4"), ipv6: blockList(SPECIAL_V6, "ipv6") };

function blockList(networks: readonly string[], family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, prefix = 32] = network.split("/") as [string, string?];
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
