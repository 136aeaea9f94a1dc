import { command } from "./command.ts";
import { TABLE_PREFIX } from "./plan.ts";
import { GUARD } from "./ruleset.ts";

/** A chain of nftables, as `nft -j list chains` tells it. */
export interface Chain {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly hook?: string;
  readonly policy?: string;
}

/** @throws NetworkError when nft cannot be run */
export async function listChains(): Promise<Chain[]> {
  const { nftables } = JSON.parse(await command("nft", ["-j", "list", "chains"])) as {
    nftables: { chain?: Chain }[];
  };
  return nftables.flatMap(({ chain }) => (chain === undefined ? [] : [chain]));
}

/** Tables of instances that switched the host's forwarding on, or found it on because of another one. */
export const guardedTables = (chains: readonly Chain[]): string[] =>
  chains.filter((chain) => chain.name === GUARD && chain.table.startsWith(TABLE_PREFIX)).map((chain) => chain.table);

/**
 * Chains of others that drop what they do not know, on the way that packets of boxes take: our own rules cannot overrule them. Docker's
 * FORWARD and most firewalls are of this kind; whether their rules let boxes pass, their owner knows.
 */
export const strictChains = (chains: readonly Chain[]): Chain[] =>
  chains.filter(
    (chain) =>
      chain.policy === "drop" &&
      (chain.hook === "forward" || chain.hook === "input") &&
      ["ip", "ip6", "inet"].includes(chain.family) &&
      !chain.table.startsWith(TABLE_PREFIX),
  );

/**
 * What lets a bridge's packets pass a strict chain: for iptables' own tables in iptables' words, so that it finds them again.
 * @param bridge its name, or `mf*` for those of all instances
 */
export function letPass(chain: Chain, bridge: string, chains: readonly Chain[]): string {
  const program = chain.family === "ip6" ? "ip6tables" : "iptables";
  const hasDockerUser = chains.some((other) => other.name === "DOCKER-USER" && other.family === chain.family);
  const plus = bridge.replace("*", "+");
  const isIptables = chain.table === "filter" && chain.name === chain.name.toUpperCase();
  if (isIptables && chain.hook === "forward") {
    const insert = `${program} -I ${hasDockerUser ? "DOCKER-USER" : chain.name}`;
    return `${insert} -i ${plus} -j ACCEPT && ${insert} -o ${plus} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`;
  }
  if (isIptables) return `${program} -I ${chain.name} -i ${plus} -p udp --dport 53 -j ACCEPT`;
  const at = `nft insert rule ${chain.family} ${chain.table} ${chain.name}`;
  return chain.hook === "forward"
    ? `${at} iifname '${bridge}' accept && ${at} oifname '${bridge}' ct state established,related accept`
    : `${at} iifname '${bridge}' th dport 53 accept`;
}
