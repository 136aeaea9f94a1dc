import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Driver } from "./network/testing/ground.ts";
import { openSetting, type Setting } from "./network/testing/setting.ts";

let setting: Setting;
let driver: Driver;
beforeAll(async () => {
  setting = await openSetting({ sanitize: true });
  driver = await setting.driver();
});
afterAll(async () => {
  await driver?.close();
  await setting?.close();
});

describe("launcher and addon under AddressSanitizer and UBSan", () => {
  it("give boxes a network, serve a port in one, and have nothing to complain of", async () => {
    const { fetched, usage, asked } = await driver.run(async ({ boxes }) => {
      const fetching = `fetch("http://203.0.113.10/bytes/9000").then(async (got) => console.log((await got.bytes()).length))`;
      const { stdout, usage } = await boxes.run(boxes.node(fetching, { network: "egress" }));
      const asking = `fetch("http://127.0.0.1:9001/").then(async (got) => console.log(await got.text()))`;
      const box = await boxes.host.start(boxes.node(asking, { serve: 9001 }));
      box.serve(process.getBuiltinModule("http").createServer((_, answer) => answer.end("served")));
      const asked = [await box.stdout.reduce((all, bytes) => all + bytes, ""), (await box.ended).kind];
      await box.remove();
      return { fetched: stdout, usage, asked };
    }, null);
    expect([fetched, asked]).toEqual(["9000\n", ["served\n", "exit"]]);
    expect(usage.net_rx_bytes).toBeGreaterThan(9000);
  });

  it("make boxes of every ending and have nothing to complain of", async () => {
    const seen = await driver.run(async ({ boxes }) => {
      const kinds: string[] = [];
      for (const habit of ["exit 3", "signal 15", "hog 200", "forks 100", "orphans 5"]) {
        kinds.push((await boxes.run(boxes.probe(habit, { channel: true }))).ending.kind);
      }
      for (const args of [["/bin/nothing"], ["/app/hello.txt"]]) {
        kinds.push((await boxes.run(boxes.spec(args, { profile: "build" }))).ending.kind);
      }
      const etc = { kind: "bind", source: "/etc", target: "/etc", make: false, readonly: true, ids: "host" } as const;
      const killed = await boxes.host.start(boxes.probe("spin", { mounts: [etc] }));
      killed.kill({ kind: "timeout" });
      kinds.push((await killed.ended).kind);
      await killed.remove();
      // A nursery that ends without being sealed, and a box that asks for one that is gone.
      const bare = { lower: boxes.layers, env: [] };
      const ended = await boxes.host.openNursery({ id: "nursery-1", ...bare, args: ["/bin/probe", "exit", "4"] });
      const refused = await boxes.host.openNursery({ id: "nursery-2", ...bare, args: ["/bin/nothing"] });
      const orphaned = await boxes.run(boxes.probe("exit 0", { nursery: "nursery-1" }));
      const endings = [await ended.ended, await refused.ended, orphaned.ending];
      await boxes.close();
      return { kinds, endings, diagnostics: boxes.diagnostics };
    }, null);
    expect(seen.diagnostics).toEqual([expect.stringContaining("forwarding of up0 is on while this worker runs")]);
    expect(seen.kinds).toEqual(["exit", "signal", "out_of_memory", "exit", "exit", "refused", "refused", "timeout"]);
    expect(seen.endings).toMatchObject([
      { kind: "exit", code: 4 },
      { kind: "refused", step: "exec", errno: "ENOENT" },
      { kind: "refused", step: "find the nursery", errno: "ESRCH" },
    ]);
  });
});
