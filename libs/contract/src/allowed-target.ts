import { z } from "zod";

/** A place in a private network that boxes may go to all the same, because the operator says so. */
export interface AllowedTarget {
  readonly family: "ip" | "ip6";
  /** An address, or a network as `10.1.0.0/16`. */
  readonly network: string;
  readonly port: number;
}

const V4 = z.union([z.ipv4(), z.cidrv4()]);
const V6 = z.union([z.ipv6(), z.cidrv6()]);

/** Reads `10.1.2.3:443,192.168.0.0/16:80,[fd00::1]:443`. Null: it is not written like that; names are none, they change. */
export function parseAllowedTargets(text: string): AllowedTarget[] | null {
  const targets = text.split(",").map((part) => target(part.trim()));
  return targets.includes(null) ? null : (targets as AllowedTarget[]);
}

function target(text: string): AllowedTarget | null {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (!(port >= 1 && port <= 65_535)) return null;
  if (bracketed !== undefined)
    return V6.safeParse(bracketed).success ? { family: "ip6", network: bracketed, port } : null;
  return V4.safeParse(plain).success ? { family: "ip", network: plain!, port } : null;
}
