import { afterAll, beforeAll, expect, it } from "vitest";
import type { Driver } from "./testing/ground.ts";
import { javascript } from "./testing/reach.ts";
import { openSetting, type Setting } from "./testing/setting.ts";

let setting: Setting;
let driver: Driver;
beforeAll(async () => {
  setting = await openSetting();
  driver = await setting.driver();
});
afterAll(async () => {
  await driver?.close();
  await setting?.close();
});

const DOWN = 3_000_000;
const UP = 700_000;

it("what a box receives and sends is counted as its own interface counts it", async () => {
  const script = `(async () => {
    const url = "http://203.0.113.10/";
    const down = await (await fetch(url + "bytes/${DOWN}")).arrayBuffer();
    const up = await (await fetch(url, { method: "POST", body: Buffer.alloc(${UP}) })).json();
    await require("node:timers/promises").setTimeout(100);
    const [, rx, tx] = /eth0:\\s+(\\d+)(?:\\s+\\d+){7}\\s+(\\d+)/.exec(fs.readFileSync("/proc/net/dev", "utf8"));
    console.log(JSON.stringify({ down: down.byteLength, up: up.received, rx: Number(rx), tx: Number(tx) }));
  })()`;
  const { stdout, usage } = await driver.run(javascript, script);
  const inside = JSON.parse(stdout);
  expect(inside).toMatchObject({ down: DOWN, up: UP });
  // Headers and acknowledgements come on top; at its end its connections say good-bye.
  expect(usage.net_rx_bytes).toBeGreaterThan(DOWN);
  expect(usage.net_rx_bytes).toBeLessThan(DOWN * 1.1);
  expect(usage.net_tx_bytes).toBeGreaterThan(UP);
  expect(usage.net_tx_bytes).toBeLessThan(UP * 1.3);
  for (const [counted, seen] of [
    [usage.net_rx_bytes!, inside.rx],
    [usage.net_tx_bytes!, inside.tx],
  ])
    expect(Math.abs(counted - seen)).toBeLessThan(2_000);
});

it("a box that says nothing has next to nothing on its bill, one without a network exactly nothing", async () => {
  const silent = (await driver.run(javascript, "")).usage;
  expect([silent.net_rx_bytes! < 500, silent.net_tx_bytes! < 500]).toEqual([true, true]);
  const usage = await driver.run(async ({ boxes }) => (await boxes.run(boxes.probe("exit 0"))).usage, null);
  expect(usage).toMatchObject({ net_rx_bytes: 0, net_tx_bytes: 0 });
});
