import { describe, expect, it } from "vitest";
import { isOrdinaryAddress } from "./address.ts";
import { endpointOf } from "./endpoint.ts";
import { HopGuard } from "./hop.ts";

const NONE = new Set<string>();
const hop = (host: string, to: string, insecure: Set<string> = NONE) =>
  new HopGuard(endpointOf(host, insecure), insecure).check(new URL(to));
/** An address that is one of the public internet, without asking anybody for it. */
const PUBLIC = "93.184.215.14";

describe("plain HTTP", () => {
  it.each([
    ["localhost:5000", "http://localhost:5000"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000"],
    ["127.9.9.9", "http://127.9.9.9"],
    ["registry.example", "https://registry.example"],
    ["localhost.example:80", "https://localhost.example:80"],
    ["127.0.0.1.example", "https://127.0.0.1.example"],
    ["10.0.0.1:5000", "https://10.0.0.1:5000"],
    ["docker.io", "https://registry-1.docker.io"],
  ])("%s is spoken to at %s", (host, origin) => {
    expect(endpointOf(host, NONE).origin).toBe(origin);
  });

  it("is for who is named as insecure", () => {
    expect(endpointOf("registry.example:5000", new Set(["registry.example:5000"])).origin).toBe(
      "http://registry.example:5000",
    );
  });
});

describe("a registry", () => {
  it("is followed to itself, and from the public internet to its public part", async () => {
    await hop(PUBLIC, `https://${PUBLIC}/v2/x`);
    await hop(PUBLIC, "https://8.8.8.8/blob?sig=1");
    await hop("localhost:5000", "http://127.0.0.1:6000/x");
    await hop("10.0.0.1", "https://10.0.0.2/x");
  });

  it.each([
    ["http://8.8.8.8/x", "plain HTTP"],
    ["http://localhost/x", "plain HTTP"],
    ["https://user:pass@8.8.8.8/x", "a user"],
    ["ftp://8.8.8.8/x", "no HTTP"],
    ["https://127.0.0.1/x", "no address of the public internet"],
    ["https://169.254.169.254/latest/meta-data", "no address of the public internet"],
    ["https://2130706433/x", "no address of the public internet"],
    ["https://0x7f.1/x", "no address of the public internet"],
    ["https://[::1]/x", "no address of the public internet"],
    ["https://[::ffff:7f00:1]/x", "no address of the public internet"],
    ["https://[64:ff9b::a00:1]/x", "no address of the public internet"],
    ["https://localhost./x", "no address of the public internet"],
    ["https://no-such-name.invalid/x", "no address of the public internet"],
  ])("on the public internet is not followed to %s", async (to, why) => {
    await expect(hop(PUBLIC, to)).rejects.toMatchObject({ reason: "refused", message: expect.stringContaining(why) });
  });
});

describe("an address", () => {
  it.each([
    "10.1.2.3",
    "100.64.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "198.19.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
  ])("%s is not of the public internet", (address) => expect(isOrdinaryAddress(address)).toBe(false));
  it.each(["::", "::1", "fd00::1", "fe80::1", "ff02::1", "2002:7f00:1::", "::ffff:10.0.0.1", "64:ff9b::1"])(
    "%s is not either",
    (address) => expect(isOrdinaryAddress(address)).toBe(false),
  );
  it.each(["8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])("%s is", (address) =>
    expect(isOrdinaryAddress(address)).toBe(true),
  );
});
