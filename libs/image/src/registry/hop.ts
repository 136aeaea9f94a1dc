import { ImageError } from "../error.ts";
import { isPublicHost } from "./address.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";

/**
 * Decides where a registry may send us: by a redirect, by the address of an upload, by the realm of a token. Not from TLS to plain
 * HTTP, and not from the public internet into networks behind it. Addresses are looked up here and again by the connection, so a
 * name that changes between the two gets past: the digest is what makes the bytes right, whoever sent them.
 */
export class HopGuard {
  readonly #endpoint: Endpoint;
  readonly #insecure: ReadonlySet<string>;
  #fromPublic: Promise<boolean> | null = null;

  constructor(endpoint: Endpoint, insecure: ReadonlySet<string>) {
    this.#endpoint = endpoint;
    this.#insecure = insecure;
  }

  /** @throws ImageError `refused` */
  async check(to: URL): Promise<void> {
    const { host, origin, plain } = this.#endpoint;
    if (to.origin === origin) return;
    const shown = `${to.origin}${to.pathname}`;
    const refused = (why: string) => new ImageError("refused", `${host} sends us to ${shown}: ${why}`);
    if (to.username !== "" || to.password !== "") throw refused("there is a user in the address");
    if (to.protocol !== "https:" && to.protocol !== "http:") throw refused("that is no HTTP");
    if (to.protocol === "http:" && !(plain && endpointOf(to.host, this.#insecure).plain)) {
      throw refused("plain HTTP is for this machine and for registries that are named as insecure");
    }
    if (plain) return;
    this.#fromPublic ??= isPublicHost(new URL(origin));
    if ((await this.#fromPublic) && !(await isPublicHost(to))) {
      throw refused("that is no address of the public internet, and the registry is on it");
    }
  }
}
