import { command } from "./command.ts";
import { NetworkError } from "./error.ts";
import { readHostNetwork } from "./host-state.ts";
import { chooseNetwork, planNetwork } from "./plan.ts";
import { ruleset } from "./ruleset.ts";
import { letPass, listChains, strictChains } from "./tables.ts";

/** Whether boxes on this host can have a network, and what is in its way. */
export interface NetworkCheck {
  /** null: all that it takes is there. */
  readonly missing: { readonly found: string; readonly remedy: string | null } | null;
  /** Rules of others that drop what they do not know, each with what lets boxes pass. */
  readonly strict: readonly { readonly found: string; readonly remedy: string }[];
  readonly ipv6: boolean;
}

const TRIAL = "ip link add mf0 type bridge; ip link add mf0-0 type veth peer name eth0; exec nft -f -";
/** Names of all instances' bridges. */
const ANY_BRIDGE = "mf*";

/** Not by looking but by doing: a bridge, a pair and all rules, in a network namespace that goes with the trial. */
export async function checkBoxNetwork(): Promise<NetworkCheck> {
  try {
    const chains = await listChains();
    const host = await readHostNetwork();
    const network = chooseNetwork("doctor", host.taken) ?? chooseNetwork("doctor", [])!;
    const rules = ruleset(planNetwork("doctor", network, { ...host, ipv6: true }), { guarded: ["lo"] });
    await command("unshare", ["--net", "sh", "-ec", TRIAL], rules);
    const strict = strictChains(chains).map((chain) => ({
      found: `${chain.family} ${chain.table} ${chain.name}`,
      remedy: letPass(chain, ANY_BRIDGE, chains),
    }));
    return { missing: null, strict, ipv6: host.ipv6 };
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    return { missing: { found: error.found, remedy: error.remedy }, strict: [], ipv6: false };
  }
}
