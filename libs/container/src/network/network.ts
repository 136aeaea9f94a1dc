import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AllowedTarget } from "@mayfly/contract";
import type { Addon } from "../addon.ts";
import { command } from "./command.ts";
import { DnsRelay } from "./dns-relay.ts";
import { NetworkError } from "./error.ts";
import { closeForwarding, isClosed, openForwarding, settleBridge } from "./forwarding.ts";
import { hasInterface, readHostNetwork } from "./host-state.ts";
import { parseIpv4Network } from "./ipv4.ts";
import { type Lease, Namespaces } from "./namespaces.ts";
import { BRIDGE_MAC, bridgeOf, chooseNetwork, type NetworkPlan, planNetwork, tableOf } from "./plan.ts";
import { Resolvers } from "./resolvers.ts";
import { RulesWatch } from "./rules-watch.ts";
import { noRuleset, type RulesetOptions, ruleset } from "./ruleset.ts";
import { type Chain, guardedTables, letPass, listChains, strictChains } from "./tables.ts";

export interface NetworkOptions {
  /** As of the boxes' host. */
  readonly instance: string;
  readonly addon: Addon;
  /** A folder of root's own. */
  readonly runDir: string;
  /** The host's list of resolvers; /etc/resolv.conf. */
  readonly resolvConf?: string;
  readonly onDiagnostic: (line: string) => void;
  /** Where boxes may go in private networks, this host's own addresses among them. */
  readonly allowed?: readonly AllowedTarget[];
  /** For tests: what is not enforced. */
  readonly off?: RulesetOptions["off"];
}

/** The way of this instance's boxes to the outside. */
export interface BoxNetwork {
  /** @throws NetworkError */
  take(): Promise<Lease>;
  /** Takes everything away again, and the host's forwarding back to how it was. */
  close(): Promise<void>;
}

/**
 * Makes bridge, rules and resolver of an instance, or makes them anew over what a dead predecessor left.
 * @throws NetworkError naming the step and the remedy; nothing is left then
 */
export async function openBoxNetwork(options: NetworkOptions): Promise<BoxNetwork> {
  const resolvers = new Resolvers(options.resolvConf ?? "/etc/resolv.conf");
  const chains = await listChains();
  const table = tableOf(options.instance);
  const guards = guardedTables(chains);
  await takeAway(options.instance);
  const host = await readHostNetwork();
  const resolving = resolvers.current().flatMap((address) => parseIpv4Network(address) ?? []);
  const network = chooseNetwork(options.instance, [...host.taken, ...resolving]);
  if (network === null) {
    const remedy = "free a /22 of it: boxes have their addresses there";
    throw new NetworkError("choose a network", "the host has ways into all of 198.18.0.0/15", remedy);
  }
  const plan = planNetwork(options.instance, network, host);
  // Forwarding that an instance of ours switched on is not the host's own: whoever of us ends last takes it back.
  const guarded = guards.length > 0 ? host.uplinks : host.uplinks.filter(isClosed);
  const made: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    for (const part of made.reverse()) await part.close();
    const others = guardedTables(await listChains()).filter((name) => name !== table);
    if (others.length === 0) for (const uplink of guarded) closeForwarding(uplink);
    await takeAway(options.instance);
  };
  try {
    await makeBridge(plan);
    const rules = noRuleset(table) + ruleset(plan, { guarded, allowed: options.allowed ?? [], off: options.off ?? [] });
    await command("nft", ["-f", "-"], rules);
    made.push(new RulesWatch(table, rules, options.onDiagnostic));
    settleBridge(plan.bridge, plan.gateway6 !== null);
    for (const uplink of guarded) openForwarding(uplink);
    made.push(await DnsRelay.open(plan.gateway, resolvers));
    for (const line of warnings(plan, guarded, chains)) options.onDiagnostic(line);
    const namespaces = new Namespaces(options.addon, plan, writeResolvConf(options.runDir, plan.gateway));
    made.push(namespaces);
    namespaces.fill();
    return { take: () => namespaces.take(), close };
  } catch (error) {
    await close().catch(() => {}); // the first failure is the one to tell
    throw error;
  }
}

/** Whether a dead predecessor left something. The bridge is made first and goes last. */
export const hasLeftNetwork = (instance: string): boolean => hasInterface(bridgeOf(instance));

/** Takes away what a predecessor left, and its forwarding. Namespaces, with their ends of the pairs, went with its processes. */
export async function sweepBoxNetwork(instance: string): Promise<void> {
  const guards = guardedTables(await listChains());
  if (guards.length === 1 && guards[0] === tableOf(instance))
    for (const uplink of (await readHostNetwork()).uplinks) closeForwarding(uplink);
  await takeAway(instance);
}

/** Rules first: while the bridge is there they hold. */
async function takeAway(instance: string): Promise<void> {
  const bridge = bridgeOf(instance);
  if (!hasInterface(bridge)) return;
  await command("nft", ["-f", "-"], noRuleset(tableOf(instance)));
  await command("ip", ["link", "delete", bridge]);
}

async function makeBridge(plan: NetworkPlan): Promise<void> {
  const { bridge, gateway, gateway6, mtu, network } = plan;
  const kind = "type bridge stp_state 0 forward_delay 0 mcast_snooping 0";
  const lines = [
    `link add name ${bridge} mtu ${mtu} address ${BRIDGE_MAC} ${kind}`,
    `addr add ${gateway}/${network.prefix} dev ${bridge}`,
    ...(gateway6 === null ? [] : [`addr add ${gateway6}/64 dev ${bridge} nodad`]),
    `link set ${bridge} up`,
  ];
  await command("ip", ["-batch", "-"], `${lines.join("\n")}\n`);
}

function writeResolvConf(runDir: string, gateway: string): string {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const path = join(runDir, "resolv.conf");
  writeFileSync(path, `nameserver ${gateway}\n`, { mode: 0o644 });
  return path;
}

function warnings(plan: NetworkPlan, guarded: readonly string[], chains: readonly Chain[]): string[] {
  const opened = guarded.map((uplink) => `forwarding of ${uplink} is on while this worker runs, for boxes alone`);
  const strict = strictChains(chains).map(
    (chain) =>
      `${chain.family} ${chain.table} ${chain.name} drops what it does not know; unless it knows boxes: ${letPass(chain, plan.bridge, chains)}`,
  );
  return [...opened, ...strict].map((line) => `network of boxes: ${line}`);
}
