import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Inside } from "./testing/driver.ts";
import { all, at, javascript, PUBLIC, reach } from "./testing/reach.ts";
import { openSetting, type Setting } from "./testing/setting.ts";

let setting: Setting;
beforeAll(async () => {
  setting = await openSetting();
});
afterAll(() => setting?.close());

/** All that a network leaves a mark on. The kernel takes namespaces away in its own time, and ports with them. */
async function marks(): Promise<string[]> {
  // An interface may go between being named and being read.
  const shown = await setting.ground.sh(
    "ip -o link; ip -o addr; ip route; ip -6 route; nft list tables; grep -sH . /proc/sys/net/ipv4/conf/*/forwarding || true",
  );
  // What the kernel gives up0 of itself takes its time to settle.
  return shown
    .split("\n")
    .filter((line) => !line.includes("fe80:"))
    .map((line) => line.replace(/^\d+: /, ""));
}
const newMarks = async (before: readonly string[]) => (await marks()).filter((line) => !before.includes(line));

let before: string[];
beforeEach(async () => {
  before = await marks();
});

const one = at(80, [PUBLIC[0]]);
const reached = all([PUBLIC[0]], "reached");
const open = ({ boxes }: Inside) => boxes.host.openNetwork();

describe("the network of boxes", () => {
  it("is not there before somebody asks for it, and nothing of it is when it was closed", async () => {
    const driver = await setting.driver();
    await driver.run(async ({ boxes }) => void (await boxes.run(boxes.probe("exit 0"))), null);
    expect(await newMarks(before)).toEqual([]);
    expect(await driver.run(reach, one)).toEqual(reached);
    const during = await newMarks(before);
    expect(during.join("\n")).toMatch(/mf[0-9a-f]{8}:.*table (inet|bridge) mayfly-.*conf\/up0\/forwarding:1/s);
    await driver.close();
    expect(await newMarks(before)).toEqual([]);
  });

  it("gives every box a namespace and addresses of its own, made before they are asked for", async () => {
    const driver = await setting.driver();
    await driver.run(open, null);
    // A connection that it closes itself stays in its namespace's table for a minute.
    const script = `const before = fs.readFileSync("/proc/net/tcp", "utf8").trim().split("\\n").length - 1;
      const socket = require("node:net").connect(80, "203.0.113.10", () => { socket.end();
        console.log(before, require("node:os").networkInterfaces().eth0[0].address); });`;
    const seen: string[] = [];
    for (let i = 0; i < 6; i += 1) seen.push((await driver.run(javascript, script)).stdout);
    expect(new Set(seen).size).toBe(6);
    expect(seen.map((line) => line.split(" ")[0])).toEqual(seen.map(() => "0"));
    const bursts = await Promise.all(Array.from({ length: 8 }, () => driver.run(reach, one)));
    expect(bursts).toEqual(bursts.map(() => reached));
    await driver.close();
  });

  it("is swept by the successor of a worker that was killed, which opens its own", async () => {
    const crashed = await setting.driver({ instance: "test-crash" });
    expect(await crashed.run(reach, one)).toEqual(reached);
    await crashed.crash();
    expect((await newMarks(before)).join("\n")).toContain("mayfly-test-crash");
    const successor = await setting.driver({ instance: "test-crash" });
    await successor.run(async ({ boxes }) => (await boxes.host.orphans()).length, null);
    await expect.poll(() => newMarks(before), { timeout: 5000 }).toEqual([]);
    expect(await successor.run(reach, one)).toEqual(reached);
    await successor.crash();
    // A second one does not look for orphans first.
    const second = await setting.driver({ instance: "test-crash" });
    expect(await second.run(reach, one)).toEqual(reached);
    await second.close();
    await expect.poll(() => newMarks(before), { timeout: 5000 }).toEqual([]);
  });

  it("of two instances lives side by side; the host's forwarding goes back with the last", async () => {
    const [first, second] = [await setting.driver(), await setting.driver()];
    expect(await first.run(reach, one)).toEqual(reached);
    expect(await second.run(reach, one)).toEqual(reached);
    await first.close();
    expect(await second.run(reach, one)).toEqual(reached);
    await second.close();
    expect(await newMarks(before)).toEqual([]);
  });

  it("forwards for boxes alone what the host did not forward before", async () => {
    const driver = await setting.driver();
    await driver.run(open, null);
    await setting.ground.sh(`ip link add other type veth peer name otherpeer
      echo 1 > /proc/sys/net/ipv6/conf/other/disable_ipv6
      ip addr add 10.77.0.1/24 dev other; ip link set other up; ip link set otherpeer up
      ip neigh replace 10.77.0.9 lladdr 02:00:00:00:00:09 dev other`);
    await setting.ground.world("ip route replace 10.77.0.0/24 via 192.0.2.2");
    const sent = async () =>
      Number(/other:(?:\s+\d+){9}\s+(\d+)/.exec(await setting.ground.sh("cat /proc/net/dev"))![1]);
    const send = () =>
      setting.ground.world(`bash -c 'for i in 1 2 3 4 5; do echo x > /dev/udp/10.77.0.9/$i || true; done'`);
    const quiet = await sent();
    await send();
    expect(await sent()).toBe(quiet);
    // The control: without our guard they come through.
    await setting.ground.sh("nft flush chain inet $(nft list tables inet | grep -o 'mayfly-.*') guard");
    await send();
    expect(await sent()).toBe(quiet + 5);
    await driver.close();
    await setting.ground.sh("ip link delete other");
  });

  it("says what is missing on a machine without nftables, and is there once it is", async () => {
    const driver = await setting.driver({ hidden: "/usr/sbin" });
    await expect(driver.run(open, null)).rejects.toThrow(
      "network of boxes: nft -j list chains: nft is not installed; apt-get install nftables",
    );
    await expect(driver.run(reach, one)).rejects.toThrow("apt-get install nftables");
    expect(await newMarks(before)).toEqual([]);
    await driver.run(({ sh }) => sh("umount /usr/sbin"), null);
    expect(await driver.run(reach, one)).toEqual(reached);
    await driver.close();
  });
});
