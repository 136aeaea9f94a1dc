import { type AllowedTarget, SPECIAL_V4, SPECIAL_V6 } from "@mayfly/contract";
import { ipv4Text } from "./ipv4.ts";
import { type NetworkPlan, SEATS, seatOf } from "./plan.ts";

export interface RulesetOptions {
  /** Interfaces whose forwarding is on because of us: what comes in there and is no affair of our boxes goes nowhere. */
  readonly guarded: readonly string[];
  /** Goes before the policy. */
  readonly allowed?: readonly AllowedTarget[];
  /** For tests' control runs. */
  readonly off?: readonly ("policy" | "spoofing")[];
}

/** More flows than this from one box at once are refused: the host's table of flows is everybody's. */
const MOST_FLOWS = 1024;
/** Mail from a box is spam from the host. */
const SMTP = 25;
/** Of the chain by whose name instances recognise that one of them switched forwarding on. */
export const GUARD = "guard";

/**
 * The instance's whole table, as `nft -f -` reads it: replaces what was there in one step, and stands in no other table's way. Every rule
 * asks for our bridge first, so that others' packets pass after one comparison. An `accept` in here ends our own chain alone: what other
 * tables refuse stays refused.
 */
export function ruleset(plan: NetworkPlan, options: RulesetOptions): string {
  const off = new Set(options.off ?? []);
  return [inet(plan, options, !off.has("policy")), off.has("spoofing") ? "" : bridge(plan)].join("\n");
}

/** Idempotent: naming a table makes it, so that there is one to delete. */
export const noRuleset = (table: string): string =>
  ["inet", "bridge"].map((family) => `table ${family} ${table}\ndelete table ${family} ${table}\n`).join("");

function inet(plan: NetworkPlan, { guarded, allowed = [] }: RulesetOptions, policy: boolean): string {
  const { bridge: br } = plan;
  const network = `${ipv4Text(plan.network.address)}/${plan.network.prefix}`;
  const network6 = plan.gateway6?.replace(/::1$/, "::/64");
  const accepted = allowed.map(({ family, network, port }) => `${family} daddr ${network} tcp dport ${port} accept`);
  const rules = (list: readonly string[]) => list.map((rule) => `\t\t${rule}\n`).join("");
  const chain = (name: string, list: readonly string[]) => `\tchain ${name} {\n${rules(list)}\t}\n`;
  const set = (name: string, type: string, elements: readonly string[]) =>
    `\tset ${name} {\n\t\ttype ${type}; flags interval; auto-merge;\n\t\telements = { ${elements.join(", ")} }\n\t}\n`;
  return `table inet ${plan.table} {
${set("refused4", "ipv4_addr", SPECIAL_V4)}${set("refused6", "ipv6_addr", SPECIAL_V6)}
	set flows { type ipv4_addr; size 4096; flags dynamic; }
	set flows6 { type ipv6_addr; size 4096; flags dynamic; }
	set askers { type ipv4_addr; size 4096; flags dynamic,timeout; timeout 1m; }
${chain("refuse", ["meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited"])}
${chain("leaving", [
  "ct state established,related accept",
  "ct state invalid drop",
  ...accepted,
  ...(policy
    ? [
        "ip daddr @refused4 goto refuse",
        "ip6 daddr @refused6 goto refuse",
        `oifname ${br} goto refuse`,
        `tcp dport ${SMTP} goto refuse`,
        `add @flows { ip saddr ct count over ${MOST_FLOWS} } goto refuse`,
        `add @flows6 { ip6 saddr ct count over ${MOST_FLOWS} } goto refuse`,
      ]
    : []),
  ...(network6 === undefined ? ["meta nfproto ipv6 goto refuse"] : []),
])}
${chain("forward", [
  "type filter hook forward priority filter; policy accept;",
  `iifname ${br} goto leaving`,
  `oifname ${br} ct state established,related accept`,
  ...(policy ? [`oifname ${br} goto refuse`] : []),
  ...(guarded.length > 0 ? [`goto ${GUARD}`] : []),
])}
${
  guarded.length > 0
    ? chain(GUARD, [`iifname { ${guarded.map(quoted).join(", ")} } ct state new ct status ! dnat drop`])
    : ""
}
${chain("dns", ["udp dport 53 update @askers { ip saddr limit rate over 200/second burst 400 packets } goto refuse"])}
${chain("to_host", [
  `ip daddr ${plan.gateway} meta l4proto { tcp, udp } th dport 53 goto dns`,
  "icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept",
  ...accepted,
  ...(policy ? ["goto refuse"] : []),
])}
${chain("input", ["type filter hook input priority filter; policy accept;", `iifname ${br} goto to_host`])}
${chain("postrouting", [
  "type nat hook postrouting priority srcnat; policy accept;",
  `ip saddr ${network} oifname != ${br} masquerade`,
  ...(network6 === undefined ? [] : [`ip6 saddr ${network6} oifname != ${br} masquerade`]),
])}}
`;
}

/** What comes in by a port must come from its seat: hardware address, IPv4 and IPv6 address, in ARP as well. */
function bridge(plan: NetworkPlan): string {
  const seats = Array.from({ length: SEATS }, (_, n) => seatOf(plan, n));
  const own = seats.map((seat) => `"${seat.port}" . ${seat.mac} . ${seat.address}`);
  const own6 = seats.map((seat) => `"${seat.port}" . ${seat.mac} . ${seat.address6}`);
  const hasV6 = plan.gateway6 !== null;
  return `table bridge ${plan.table} {
	set own {
		type ifname . ether_addr . ipv4_addr
		elements = { ${own.join(", ")} }
	}
${hasV6 ? `\tset own6 {\n\t\ttype ifname . ether_addr . ipv6_addr\n\t\telements = { ${own6.join(", ")} }\n\t}\n` : ""}
	chain from_box {
		ether type arp iifname . arp saddr ether . arp saddr ip @own iifname . ether saddr . arp saddr ip @own accept
		ether type ip iifname . ether saddr . ip saddr @own accept
${hasV6 ? "\t\tether type ip6 iifname . ether saddr . ip6 saddr @own6 accept\n" : ""}		drop
	}
	chain prerouting {
		type filter hook prerouting priority -300; policy accept;
		iifname "${plan.bridge}-*" goto from_box
	}
}
`;
}

const quoted = (name: string): string => `"${name}"`;
