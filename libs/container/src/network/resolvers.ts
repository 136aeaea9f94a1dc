import { readFileSync } from "node:fs";
import { isIP } from "node:net";

/** resolv.conf(5): the first three are used, and where none is named one on this host. */
export function parseResolvers(text: string): string[] {
  const named = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1]!);
  const usable = named.filter((address) => isIP(address.replace(/%.*$/, "")) !== 0).slice(0, 3);
  return usable.length > 0 ? usable : ["127.0.0.1"];
}

const FRESH_MS = 2_000;

/** The host's resolvers, read anew after a while: they change with the host's network. */
export class Resolvers {
  readonly #path: string;
  #known: string[] = [];
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  current(): readonly string[] {
    if (performance.now() - this.#readAt < FRESH_MS) return this.#known;
    this.#readAt = performance.now();
    this.#known = parseResolvers(textOf(this.#path));
    return this.#known;
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // as resolv.conf(5) has it for a file that is not there
  }
}
