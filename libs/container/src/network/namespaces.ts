import { closeSync } from "node:fs";
import type { NetworkUsage } from "@mayfly/contract";
import type { Addon } from "../addon.ts";
import { NetworkError } from "./error.ts";
import { type NetworkPlan, SEATS, type Seat, seatOf } from "./plan.ts";

/** A network namespace for one box, never used before. */
export interface Lease {
  /** A descriptor of it, ours to close. */
  readonly fd: number;
  /** Path of what the box has as /etc/resolv.conf; null: its image's own. */
  readonly resolvConf: string | null;
  /**
   * Gives it back; the namespace goes once its processes have gone. Answers what has gone through since the lease was taken, as the box
   * sees it, headers included. Idempotent, never rejects.
   */
  release(): Promise<NetworkUsage>;
}

interface Wired {
  readonly fd: number;
  readonly number: number;
  readonly seat: Seat;
}

/** How many are made before anybody asks: as many calls as may come while one is made. */
const AHEAD = 4;
/** A seat whose last namespace the kernel has not taken away yet is passed over; so many in a row mean something else. */
const MOST_TRIES = 8;

/**
 * Single-use network namespaces, made ahead while nobody waits. What was used is never used again: ports in TIME_WAIT, abstract sockets and
 * sysctls stay in a namespace. A seat (its addresses) is used again after all others, when nobody answers to its last holder any more.
 */
export class Namespaces {
  readonly #addon: Pick<Addon, "wireNamespace" | "portBytes">;
  readonly #plan: NetworkPlan;
  readonly #resolvConf: string;
  readonly #free = Array.from({ length: SEATS }, (_, n) => n);
  readonly #ready: Wired[] = [];
  #filling: Promise<void> | null = null;
  #closed = false;

  constructor(addon: Pick<Addon, "wireNamespace" | "portBytes">, plan: NetworkPlan, resolvConf: string) {
    this.#addon = addon;
    this.#resolvConf = resolvConf;
    this.#plan = plan;
  }

  /** @throws NetworkError when none can be made */
  async take(): Promise<Lease> {
    const wired = this.#ready.shift() ?? (await this.#wire());
    this.fill();
    return this.#lease(wired);
  }

  /** Makes as many as are to be ready, one after the other. What goes wrong shows when the next one is taken. */
  fill(): void {
    this.#filling ??= this.#fill()
      .catch(() => {})
      .finally(() => {
        this.#filling = null;
      });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#filling;
    for (const wired of this.#ready.splice(0)) closeSync(wired.fd);
  }

  async #fill(): Promise<void> {
    while (!this.#closed && this.#ready.length < AHEAD) this.#ready.push(await this.#wire());
  }

  async #wire(): Promise<Wired> {
    for (let attempt = 1; ; attempt += 1) {
      const number = this.#free.shift();
      if (number === undefined) throw new NetworkError("take a seat", `${SEATS} boxes have one`, "run fewer at once");
      const seat = seatOf(this.#plan, number);
      const { bridge, gateway, gateway6, mtu } = this.#plan;
      const six = seat.address6 === null ? [] : [seat.address6, gateway6!];
      try {
        const fd = await this.#addon.wireNamespace(bridge, seat.port, seat.mac, seat.address, gateway, mtu, ...six);
        return { fd, number, seat };
      } catch (error) {
        this.#free.push(number);
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === "EEXIST" && attempt < MOST_TRIES) continue;
        throw new NetworkError("make a network namespace", message, remedyOf(code), error);
      }
    }
  }

  #lease({ fd, number, seat }: Wired): Lease {
    // Nobody waits for it: it is there before the box has a program.
    const before = this.#addon.portBytes(seat.port);
    let released: Promise<NetworkUsage> | null = null;
    const release = async (): Promise<NetworkUsage> => {
      const [began, ended] = [await before, await this.#addon.portBytes(seat.port)];
      closeSync(fd);
      this.#free.push(number);
      if (began === null || ended === null) return { net_rx_bytes: null, net_tx_bytes: null };
      // What the bridge's end has sent the box has received.
      return { net_rx_bytes: ended[1] - began[1], net_tx_bytes: ended[0] - began[0] };
    };
    return {
      fd,
      resolvConf: this.#resolvConf,
      release: () => {
        released ??= release();
        return released;
      },
    };
  }
}

function remedyOf(code: string | undefined): string | null {
  if (code === "ENODEV") return "the bridge was taken away: start the worker again";
  if (code === "EOPNOTSUPP") return "the kernel has no veth: modprobe veth";
  if (code === "ENOSPC") return "raise the sysctl user.max_net_namespaces; a bridge takes 1023 ports";
  return code === "EPERM" ? "run as root" : null;
}
