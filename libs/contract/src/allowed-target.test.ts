import { describe, expect, it } from "vitest";
import { parseAllowedTargets } from "./allowed-target.ts";

describe("where boxes may go in private networks", () => {
  it("is addresses and networks, each with a port", () => {
    expect(parseAllowedTargets("10.1.2.3:443, 192.168.0.0/16:80,[fd00::1]:8443,[fd00::/8]:1")).toEqual([
      { family: "ip", network: "10.1.2.3", port: 443 },
      { family: "ip", network: "192.168.0.0/16", port: 80 },
      { family: "ip6", network: "fd00::1", port: 8443 },
      { family: "ip6", network: "fd00::/8", port: 1 },
    ]);
  });
  it.each([
    "",
    "10.1.2.3",
    "10.1.2.3:0",
    "10.1.2.3:65536",
    "registry.example:443",
    "fd00::1:443",
    "10.1.2.300:1",
    "[10.1.2.3]:1",
  ])("is not %j", (text) => expect(parseAllowedTargets(text)).toBeNull());
});
