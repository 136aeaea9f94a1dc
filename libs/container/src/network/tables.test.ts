import { describe, expect, it } from "vitest";
import { type Chain, guardedTables, letPass, strictChains } from "./tables.ts";

const chain = (family: string, table: string, name: string, hook?: string, policy?: string): Chain => ({
  family,
  table,
  name,
  ...(hook === undefined ? {} : { hook }),
  ...(policy === undefined ? {} : { policy }),
});
const FORWARD = chain("ip", "filter", "FORWARD", "forward", "drop");
const DOCKER = [FORWARD, chain("ip", "filter", "DOCKER-USER"), chain("ip6", "filter", "FORWARD", "forward", "drop")];
const FIREWALL = chain("inet", "fw", "in", "input", "drop");

describe("chains of others", () => {
  it("that drop what they do not know, on the way of boxes, are found; no others, none of ours", () => {
    const harmless = [
      chain("ip", "filter", "OUTPUT", "output", "drop"),
      chain("ip", "filter", "INPUT", "input", "accept"),
      chain("bridge", "filter", "FORWARD", "forward", "drop"),
      chain("inet", "mayfly-m0", "forward", "forward", "drop"),
    ];
    expect(strictChains([...harmless, ...DOCKER, FIREWALL])).toEqual([FORWARD, DOCKER[2], FIREWALL]);
  });

  it("are let pass in the words of who made them: Docker's, iptables', nft's", () => {
    expect(letPass(FORWARD, "mf*", DOCKER)).toMatch(
      /^iptables -I DOCKER-USER -i mf\+ -j ACCEPT && iptables -I DOCKER-USER -o mf\+ /,
    );
    expect(letPass(FORWARD, "mf0", [FORWARD])).toMatch(/^iptables -I FORWARD -i mf0 -j ACCEPT/);
    expect(letPass(DOCKER[2]!, "mf0", DOCKER)).toMatch(/^ip6tables -I FORWARD -i mf0/);
    expect(letPass(chain("ip", "filter", "INPUT", "input", "drop"), "mf0", [])).toBe(
      "iptables -I INPUT -i mf0 -p udp --dport 53 -j ACCEPT",
    );
    expect(letPass(FIREWALL, "mf0", [])).toBe("nft insert rule inet fw in iifname 'mf0' th dport 53 accept");
  });

  it("tell of other instances that switched forwarding on", () => {
    const chains = [
      chain("inet", "mayfly-a", "guard"),
      chain("inet", "mayfly-b", "input"),
      chain("inet", "x", "guard"),
    ];
    expect(guardedTables(chains)).toEqual(["mayfly-a"]);
  });
});
