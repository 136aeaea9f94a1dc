import { describe, expect, it } from "vitest";
import { ipv4, ipv4Text, overlaps, parseIpv4Network } from "./ipv4.ts";
import { bridgeOf, chooseNetwork, planNetwork, SEATS, seatOf } from "./plan.ts";

const taken = (...networks: string[]) => networks.map((text) => parseIpv4Network(text)!);
const HOST = { mtu: 1500, ipv6: true };

describe("the network of an instance", () => {
  it("is the same every time, and another instance's is another one", () => {
    const [a, b] = ["m0123456789", "m9876543210"].map((instance) => chooseNetwork(instance, [])!);
    expect(chooseNetwork("m0123456789", [])).toEqual(a);
    expect(a).not.toEqual(b);
    expect(overlaps(a!, { address: ipv4("198.18.0.0"), prefix: 15 })).toBe(true);
  });

  it("is none that the host has a way into, be it wider or narrower", () => {
    const first = chooseNetwork("m", [])!;
    const narrow = taken(`${ipv4Text(first.address + 300)}/32`);
    const next = chooseNetwork("m", narrow)!;
    expect(overlaps(next, first)).toBe(false);
    expect(chooseNetwork("m", taken("198.18.0.0/16"))!.address).toBeGreaterThanOrEqual(ipv4("198.19.0.0"));
    expect(chooseNetwork("m", taken("198.18.0.0/16", "198.19.0.0/16"))).toBeNull();
    expect(chooseNetwork("m", taken("10.0.0.0/8", "192.0.2.1"))).toEqual(first);
  });

  it("has seats of different names and addresses, all of the network, none the gateway's or a broadcast", () => {
    const network = chooseNetwork("m", [])!;
    const plan = planNetwork("m", network, HOST);
    const seats = Array.from({ length: SEATS }, (_, n) => seatOf(plan, n));
    for (const field of ["port", "mac", "address", "address6"] as const)
      expect(new Set(seats.map((seat) => seat[field])).size, field).toBe(SEATS);
    const numbers = seats.map((seat) => ipv4(seat.address) - network.address);
    expect([Math.min(...numbers) > 1, Math.max(...numbers) < 1023]).toEqual([true, true]);
    expect(seats.map((seat) => seat.port.length).every((length) => length <= 15)).toBe(true);
    expect(plan.gateway6).toMatch(/^fd[0-9a-f]{2}(:[0-9a-f]{4}){3}::1$/);
    expect(seatOf(planNetwork("m", network, { ...HOST, ipv6: false }), 7).address6).toBeNull();
  });

  it("has a bridge whose name an interface can have, whatever the instance's is", () => {
    expect(bridgeOf("a-name-of-63-characters".padEnd(63, "x"))).toMatch(/^mf[0-9a-f]{8}$/);
  });
});
