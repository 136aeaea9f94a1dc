import { isIP } from "node:net";
import { isOrdinaryAddress } from "./address.ts";

/** Where a registry answers, and how much it is trusted. */
export interface Endpoint {
  /** As it stands in references. */
  readonly host: string;
  /** `https://registry.example`, without a path. */
  readonly origin: string;
  /** Plain HTTP was allowed for it: this machine, or a host that was named as insecure. */
  readonly plain: boolean;
}

const LOCAL_NAMES = new Set(["localhost", "[::1]"]);

/** Plain HTTP for this machine and for the hosts in `insecure`; TLS for all others. */
export function endpointOf(host: string, insecure: ReadonlySet<string>): Endpoint {
  const answering = host === "docker.io" ? "registry-1.docker.io" : host;
  const plain = insecure.has(host) || isThisMachine(new URL(`http://${answering}`).hostname);
  return { host, origin: new URL(`${plain ? "http" : "https"}://${answering}`).origin, plain };
}

/** `hostname` as URLs have it. A name that merely resolves to this machine is not this machine. */
const isThisMachine = (hostname: string): boolean =>
  LOCAL_NAMES.has(hostname) || (isIP(hostname) === 4 && hostname.startsWith("127.") && !isOrdinaryAddress(hostname));
