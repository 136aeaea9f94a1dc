import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { TestBoxes } from "./testing/boxes.ts";
import { buildNative } from "./testing/native.ts";
import { shown } from "./testing/root.ts";

describe("the launcher under AddressSanitizer and UBSan", () => {
  it("makes boxes of every ending and has nothing to complain of", async () => {
    const dir = mkdtempSync(join(tmpdir(), "mayfly-sanitized-"));
    const native = buildNative(join(dir, "plain"));
    const { launcher } = buildNative(join(dir, "sanitized"), true);
    const boxes = await TestBoxes.open({ native: { ...native, launcher } });
    try {
      const kinds: string[] = [];
      for (const habit of ["exit 3", "signal 15", "hog 200", "forks 100", "orphans 5"]) {
        kinds.push((await boxes.run(boxes.probe(habit, { channel: true }))).ending.kind);
      }
      for (const args of [["/bin/nothing"], ["/app/hello.txt"]]) {
        kinds.push((await boxes.run(boxes.spec(args, { profile: "build" }))).ending.kind);
      }
      const killed = await boxes.host.start(boxes.probe("spin", { mounts: [shown("/etc", "/etc")] }));
      killed.kill({ kind: "timeout" });
      kinds.push((await killed.ended).kind);
      await killed.remove();
      // A nursery that ends without being sealed, and a box that asks for one that is gone.
      const bare = { lower: boxes.layers, env: [] };
      const ended = await boxes.host.openNursery({ id: "nursery-1", ...bare, args: ["/bin/probe", "exit", "4"] });
      const refused = await boxes.host.openNursery({ id: "nursery-2", ...bare, args: ["/bin/nothing"] });
      const orphaned = await boxes.run(boxes.probe("exit 0", { nursery: "nursery-1" }));
      expect([await ended.ended, await refused.ended, orphaned.ending]).toMatchObject([
        { kind: "exit", code: 4 },
        { kind: "refused", step: "exec", errno: "ENOENT" },
        { kind: "refused", step: "find the nursery", errno: "ESRCH" },
      ]);
      expect(kinds).toEqual(["exit", "signal", "out_of_memory", "exit", "exit", "refused", "refused", "timeout"]);
    } finally {
      await boxes.close();
      rmSync(dir, { recursive: true });
    }
    expect(boxes.diagnostics).toEqual([]);
  });
});
