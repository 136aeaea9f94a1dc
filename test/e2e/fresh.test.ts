import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type System, startSystem } from "./system.ts";

/** Leaves something in every place it can, and reports what it finds of an earlier call. */
const RESIDUE = `
import { existsSync, readFileSync, writeFileSync, readdirSync } from "node:fs";
import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";

let global = 0;
const listens = (address) => new Promise((resolve) => {
  const socket = connect(address);
  socket.once("connect", () => { socket.destroy(); resolve(true); });
  socket.once("error", () => resolve(false));
});

export default async function () {
  const found = [];
  if (existsSync("/tmp/mark")) found.push("/tmp");
  if (existsSync("/dev/shm/mark")) found.push("/dev/shm");
  if (global++ > 0 || globalThis.mark) found.push("global");
  if (await listens({ port: 9999, host: "127.0.0.1" })) found.push("port");
  if (await listens({ path: "\\0mark" })) found.push("abstract socket");
  const others = readdirSync("/proc").filter((pid) => /^\\d+$/.test(pid) && Number(pid) !== process.pid && pid !== "1");
  if (others.length > 0) found.push("process " + others.map((pid) => { try { return readFileSync("/proc/" + pid + "/cmdline", "utf8"); } catch { return "?"; } }).join());
  globalThis.mark = true;
  writeFileSync("/tmp/mark", "x");
  writeFileSync("/dev/shm/mark", "x");
  spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { detached: true, stdio: "ignore" }).unref();
  await new Promise((resolve) => createServer().listen(9999, "127.0.0.1", resolve));
  await new Promise((resolve) => createServer().listen("\\0mark", resolve));
  return Response.json({ found, seen: { port: await listens({ port: 9999, host: "127.0.0.1" }), socket: await listens({ path: "\\0mark" }) } });
}`;

describe("every call is fresh", () => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await startSystem();
    const deployed = await mayfly.deploy("residue", RESIDUE);
    expect(deployed.status, await deployed.clone().text()).toBe(201);
  }, 300_000);
  afterAll(() => mayfly?.stop(), 60_000);

  it("100 of 100 find no file, global, process, port or socket of an earlier one", async () => {
    const found: unknown[] = [];
    for (let round = 0; round < 25; round += 1) {
      const answers = await Promise.all([0, 1, 2, 3].map(async () => (await mayfly.call("residue")).json()));
      for (const answer of answers as { found: string[]; seen: unknown }[]) {
        // The control: within one call each of them is there to be found.
        expect(answer.seen).toEqual({ port: true, socket: true });
        found.push(...answer.found);
      }
    }
    expect(found).toEqual([]);
  }, 400_000);
});
