/** An IPv4 network as numbers: the address's 32 bits, unsigned, and how many of them are the network's. */
export interface Ipv4Network {
  readonly address: number;
  readonly prefix: number;
}

export const ipv4 = (text: string): number => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

export const ipv4Text = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/** `192.0.2.0/24`, or an address alone. null: it is none (`default`). */
export function parseIpv4Network(text: string): Ipv4Network | null {
  const [, address, prefix] = /^(\d+\.\d+\.\d+\.\d+)(?:\/(\d+))?$/.exec(text) ?? [];
  return address === undefined ? null : { address: ipv4(address), prefix: Number(prefix ?? 32) };
}

export function overlaps(a: Ipv4Network, b: Ipv4Network): boolean {
  const size = 2 ** (32 - Math.min(a.prefix, b.prefix));
  return Math.floor(a.address / size) === Math.floor(b.address / size);
}
