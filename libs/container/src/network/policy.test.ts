import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Inside } from "./testing/driver.ts";
import type { Driver } from "./testing/ground.ts";
import { all, at, javascript, PRIVATE, PUBLIC, reach } from "./testing/reach.ts";
import { openSetting, type Setting } from "./testing/setting.ts";

/** What a program may write for an IPv4 address. */
const MAPPED = ["::ffff:10.9.9.9", "::ffff:a9fe:a9fe"];

let setting: Setting;
beforeAll(async () => {
  setting = await openSetting();
});
afterAll(() => setting?.close());

/** The host's own addresses, with listeners on all of them, and another box with one. Answers what there is to be reached. */
async function neighbours({ boxes, sh, listen, kept }: Inside) {
  kept.set("listener", listen(8080));
  const script = `require("node:net").createServer((s) => s.end()).listen(8080, "::", () => console.log("up")); setTimeout(() => {}, 1e6);`;
  const other = await boxes.host.start(boxes.node(script, { network: "egress" }));
  await new Promise((resolve) => other.stdout.once("data", resolve));
  kept.set("other", other);
  const addresses = async (command: string) =>
    [...(await sh(command)).matchAll(/inet6? ([0-9a-f.:]+)/g)].map((match) => match[1]!);
  const host = (await addresses("ip addr show scope global")).filter((address) => !address.startsWith("127."));
  const box = await addresses(`nsenter --net --target=${other.pid} ip addr show dev eth0 scope global`);
  return { host, box };
}

async function end({ kept }: Inside) {
  const other = kept.get("other") as { kill(why: object): void; remove(): Promise<unknown> } | undefined;
  other?.kill({ kind: "killed", reason: "the test is over" });
  await other?.remove();
  (kept.get("listener") as { close(): void } | undefined)?.close();
}

describe("a box with a network", () => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await setting.driver();
  });
  afterAll(() => driver?.close());

  it("reaches the public internet, over IPv4 and IPv6, under the host's address", async () => {
    expect(await driver.run(reach, at(80, PUBLIC))).toEqual(all(PUBLIC, "reached"));
    const who = `fetch("http://${PUBLIC[0]}/").then(async (r) => console.log((await r.json()).from))`;
    expect((await driver.run(javascript, who)).stdout).toBe("::ffff:192.0.2.2");
  });

  it("is refused everything private at once, over IPv4 and IPv6", async () => {
    const tried = await driver.run(reach, at(80, [...PRIVATE, ...MAPPED]));
    expect(tried).toEqual(all([...PRIVATE, ...MAPPED], "ECONNREFUSED"));
  });

  it("is refused by an ICMP answer where it does not speak TCP", async () => {
    const script = `const s = require("node:dgram").createSocket("udp4"); s.on("error", (e) => { console.log(e.code); s.close(); });
      s.connect(9999, "10.9.9.9", () => s.send("x")); setTimeout(() => process.exit(), 3000).unref();`;
    expect((await driver.run(javascript, script)).stdout).toBe("EHOSTUNREACH");
  });

  it("sends no mail", async () => {
    expect(await driver.run(reach, at(25, PUBLIC))).toEqual(all(PUBLIC, "ECONNREFUSED"));
  });

  it("reaches neither this host, by any of its addresses, nor another box", async () => {
    const { host, box } = await driver.run(neighbours, null);
    expect([host.length >= 4, box.length]).toEqual([true, 2]);
    const tried = await driver.run(reach, at(8080, [...host, ...box]));
    expect(tried).toEqual(all([...host, ...box], "ECONNREFUSED"));
    await driver.run(end, null);
  });

  it("is not reached from the world: its address is refused there as any other is", async () => {
    const { box } = await driver.run(neighbours, null);
    await setting.ground.world(`ip route add ${box[0]}/32 via 192.0.2.2`);
    const connect = `timeout 3 bash -c 'echo > /dev/tcp/${box[0]}/8080' 2>&1 || true`;
    expect(await setting.ground.world(connect)).toContain("Connection refused");
    await driver.run(end, null);
  });
});

describe("a box whose operator allows places in private networks", () => {
  let driver: Driver;
  beforeAll(async () => {
    const allowed = [
      { family: "ip", network: "10.9.0.0/16", port: 80 },
      { family: "ip6", network: "fc00::7", port: 80 },
    ] as const;
    driver = await setting.driver({ allowed });
  });
  afterAll(() => driver?.close());

  it("reaches these, by these ports, and no others", async () => {
    const open = ["10.9.9.9", "fc00::7"];
    const closed = PRIVATE.filter((address) => !open.includes(address));
    expect(await driver.run(reach, at(80, [...open, ...closed]))).toEqual([
      ...all(open, "reached"),
      ...all(closed, "ECONNREFUSED"),
    ]);
    expect(await driver.run(reach, at(81, open))).toEqual(all(open, "ECONNREFUSED"));
  });
});

describe("with the policy off, as a control", () => {
  let driver: Driver;
  beforeAll(async () => {
    driver = await setting.driver({ off: ["policy"] });
  });
  afterAll(() => driver?.close());

  it("everything private that was refused is reached", async () => {
    const tried = await driver.run(reach, at(80, [...PRIVATE, ...MAPPED]));
    expect(tried).toEqual(all([...PRIVATE, ...MAPPED], "reached"));
  });

  it("this host and the other box are reached", async () => {
    const { host, box } = await driver.run(neighbours, null);
    expect(await driver.run(reach, at(8080, [...host, ...box]))).toEqual(all([...host, ...box], "reached"));
    await driver.run(end, null);
  });
});
