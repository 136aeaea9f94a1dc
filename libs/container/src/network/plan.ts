import { createHash } from "node:crypto";
import { type Ipv4Network, ipv4, ipv4Text, overlaps } from "./ipv4.ts";

/** Names and addresses of one instance's network, decided before anything is made. */
export interface NetworkPlan {
  readonly bridge: string;
  /** Of nftables, in the families inet and bridge. */
  readonly table: string;
  readonly network: Ipv4Network;
  readonly gateway: string;
  /** null: boxes have no IPv6. */
  readonly gateway6: string | null;
  readonly mtu: number;
}

/** What one box has at a time: a port of the bridge and its addresses. */
export interface Seat {
  readonly port: string;
  readonly mac: string;
  readonly address: string;
  readonly address6: string | null;
}

/** As many boxes can have a network at the same time. */
export const SEATS = 1000;
export const BRIDGE_MAC = "02:6d:66:01:00:00";
const FIRST_SEAT = 16;
const PREFIX = 22;
/** RFC 2544's network for benchmarks: nobody routes it, so that what lies behind the host's routes is not shadowed by ours. */
const POOL: Ipv4Network = { address: ipv4("198.18.0.0"), prefix: 15 };
const NETWORKS = 2 ** (PREFIX - POOL.prefix);

const hash = (instance: string): Buffer => createHash("sha256").update(instance).digest();

/** Names of interfaces have at most 15 characters: `mf` and eight digits, and for ports `-` and a number. */
export const bridgeOf = (instance: string): string => `mf${hash(instance).toString("hex", 0, 4)}`;
export const TABLE_PREFIX = "mayfly-";
export const tableOf = (instance: string): string => `${TABLE_PREFIX}${instance}`;

/** The instance's first choice of 128 networks, or the next one that the host knows no way into. null: all are taken. */
export function chooseNetwork(instance: string, taken: readonly Ipv4Network[]): Ipv4Network | null {
  const first = hash(instance).readUInt32BE(4);
  for (let i = 0; i < NETWORKS; i += 1) {
    const network = { address: POOL.address + ((first + i) % NETWORKS) * 2 ** (32 - PREFIX), prefix: PREFIX };
    if (!taken.some((other) => overlaps(network, other))) return network;
  }
  return null;
}

export function planNetwork(
  instance: string,
  network: Ipv4Network,
  host: { readonly mtu: number; readonly ipv6: boolean },
): NetworkPlan {
  // RFC 4193: a private network whose 40 bits nobody else has.
  const unique = hash(instance).toString("hex", 8, 15);
  const prefix6 = `fd${unique.slice(0, 2)}:${unique.slice(2, 6)}:${unique.slice(6, 10)}:${unique.slice(10, 14)}`;
  return {
    bridge: bridgeOf(instance),
    table: tableOf(instance),
    network,
    gateway: ipv4Text(network.address + 1),
    gateway6: host.ipv6 ? `${prefix6}::1` : null,
    mtu: host.mtu,
  };
}

/** @param n 0 to SEATS - 1 */
export function seatOf(plan: NetworkPlan, n: number): Seat {
  const number = FIRST_SEAT + n;
  return {
    port: `${plan.bridge}-${n}`,
    mac: `02:6d:66:00:${byte(number >> 8)}:${byte(number & 255)}`,
    address: ipv4Text(plan.network.address + number),
    address6: plan.gateway6?.replace(/::1$/, `::${number.toString(16)}`) ?? null,
  };
}

const byte = (value: number): string => value.toString(16).padStart(2, "0");
