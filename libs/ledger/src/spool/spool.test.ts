import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { sampleRecord } from "../testing/sample-record.ts";
import { openSpool } from "./spool.ts";

describe("the spool", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "mayfly-spool-"));
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it("hands out what was put, in order, until it is acknowledged, also after a close", async () => {
    const spool = await openSpool(dir);
    await Promise.all([1, 2, 3].map((n) => spool.put(sampleRecord(n))));
    const first = spool.pending(2);
    expect(first.map(({ seq }) => seq)).toEqual([1, 2]);
    spool.acknowledge([1, 3]);
    await spool.close();
    const again = await openSpool(dir);
    expect(again.pending(10).map(({ seq }) => seq)).toEqual([2]);
    await again.close();
  });

  it("takes the same record once", async () => {
    const spool = await openSpool(dir);
    const record = sampleRecord(1);
    await spool.put(record);
    await spool.put(record);
    expect(spool.pending(10)).toHaveLength(1);
    await spool.close();
  });

  it("that cannot write says so to everyone who put", async () => {
    const spool = await openSpool(dir);
    await spool.close();
    const results = await Promise.allSettled([spool.put(sampleRecord(1)), spool.put(sampleRecord(2))]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
  });

  it("that is no database is refused by name, with what to do, and stays as it is", async () => {
    const path = join(dir, "outbox.sqlite");
    writeFileSync(path, "x".repeat(5000));
    await expect(openSpool(dir)).rejects.toThrow(/outbox\.sqlite.*move .*outbox\.sqlite aside/);
    expect(readFileSync(path, "utf8")).toBe("x".repeat(5000));
  });

  it("has everything that it acknowledged, after kill -9 of who put it, 30 times", async () => {
    const writer = join(import.meta.dirname, "..", "testing", "spool-writer.ts");
    const acknowledged = new Set<string>();
    for (let round = 0; round < 30; round += 1) {
      const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", writer, dir], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.on("data", (chunk) => (text += chunk));
      const gone = new Promise((resolve) => child.once("close", resolve));
      while (!text.includes("\n")) await sleep(5);
      await sleep(Math.random() * 40);
      child.kill("SIGKILL");
      await gone;
      for (const id of text.slice(0, text.lastIndexOf("\n")).split("\n")) acknowledged.add(id);
    }
    const spool = await openSpool(dir);
    const kept = new Set(
      spool.pending(1_000_000).map(({ record }) => (record.kind === "invocation" ? record.record.id : "")),
    );
    await spool.close();
    expect([...acknowledged].filter((id) => !kept.has(id as never))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(60);
  }, 120_000);
});
