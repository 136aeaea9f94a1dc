import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Inside } from "./testing/driver.ts";
import { openSetting, type Setting } from "./testing/setting.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await openSetting();
});
afterAll(() => setting?.close());

/**
 * A box cannot do any of this itself; somebody with the host's powers over its network namespace can. Answers how many of ten datagrams
 * the bridge took in after `lie` was told there.
 */
async function takenIn({ boxes, sh }: Inside, { lie, from }: { lie: string; from: string }): Promise<number> {
  const box = await boxes.host.start(boxes.probe("sleep", { network: "egress" }));
  const inside = (command: string) => sh(`nsenter --net --target=${box.pid} sh -ec '${command}'`);
  const bridge = /^(mf[0-9a-f]+)/m.exec(await sh("ip -br link show type bridge"))![1];
  const gateway = async (family: number) =>
    / via (\S+)/.exec(await inside(`ip -${family} route show default`))?.[1] ?? "none";
  await inside(lie);
  // The lie may cost it the way to its gateway: what is looked at is the bridge.
  for (const family of [4, 6])
    await inside(`ip neigh replace ${await gateway(family)} lladdr 02:6d:66:01:00:00 dev eth0 nud permanent`);
  const script = `const s = require("node:dgram").createSocket("${from.includes(":") ? "udp6" : "udp4"}"); let left = 10;
    const to = "${from.includes(":") ? "2606:4700::10" : "203.0.113.10"}";
    s.bind(0, "${from}", () => { for (let i = 0; i < 10; i++) s.send("x", 9999, to, () => --left || s.close()); });`;
  const count = async () => Number(new RegExp(`${bridge}:\\s+\\d+\\s+(\\d+)`).exec(await sh("cat /proc/net/dev"))![1]);
  const before = await count();
  await sh(`nsenter --net --target=${box.pid} ${process.execPath} -e '${script}'`);
  const after = await count();
  box.kill({ kind: "killed", reason: "the test is over" });
  await box.remove();
  return after - before;
}

const own = "ip -br addr show dev eth0";
const LIES = {
  "the IPv4 address of another box": { lie: "ip addr add 198.18.0.77/32 dev eth0", from: "198.18.0.77" },
  "a public IPv4 address": { lie: "ip addr add 203.0.113.77/32 dev eth0", from: "203.0.113.77" },
  "another IPv6 address": { lie: "ip addr add 2606:4700::77/128 dev eth0 nodad", from: "2606:4700::77" },
  "another hardware address": { lie: "ip link set dev eth0 address 02:6d:66:00:00:99", from: "0.0.0.0" },
};

describe.each(Object.entries(LIES))("%s as the sender's", (_, lie) => {
  it("does not come through the bridge", async () => {
    const driver = await setting.driver();
    expect(await driver.run(takenIn, { lie: own, from: "0.0.0.0" })).toBeGreaterThanOrEqual(10);
    expect(await driver.run(takenIn, lie)).toBeLessThan(10);
    await driver.close();
  });

  it("does when nobody looks, as a control", async () => {
    const driver = await setting.driver({ off: ["spoofing"] });
    expect(await driver.run(takenIn, lie)).toBeGreaterThanOrEqual(10);
    await driver.close();
  });
});
