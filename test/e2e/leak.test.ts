import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { instanceOf } from "../../infra/src/home.ts";
import { differences, leftovers } from "../../infra/src/test/leftovers.ts";
import { startSystem } from "./system.ts";

const uids = (pid: number) =>
  /^Uid:\s+(.+)$/m
    .exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]!
    .split(/\s+/)
    .map(Number);

/** What root made in a folder of another user's: that user could put something else in its place. */
const exposed = (home: string) =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => statSync(entry.parentPath, { throwIfNoEntry: false })?.uid !== 0)
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => statSync(path, { throwIfNoEntry: false })?.uid === 0);

it("a system that deployed, served and was stopped leaves nothing; gateway and Redis were never root", async () => {
  const before = leftovers();
  const mayfly = await startSystem();
  const instance = instanceOf(mayfly.home);
  // Others may use this machine: what is of this system carries its home or its instance in its name.
  const left = () =>
    differences(before, leftovers()).filter((line) => line.includes(mayfly.home) || line.includes(instance));
  expect(
    (await mayfly.deploy("busy", "export default async () => { console.log('x'); return new Response('ok'); }")).status,
  ).toBe(201);
  const answers = await Promise.all(Array.from({ length: 20 }, () => mayfly.call("busy")));
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200));
  for (const service of ["gateway", "redis"] as const) {
    const ids = uids(mayfly.pid(service)!);
    expect(ids, service).not.toContain(0);
    expect(new Set(ids).size).toBe(1);
  }
  expect(uids(mayfly.pid("worker")!)).toContain(0);
  expect(exposed(mayfly.home)).toEqual([]);
  // The control: while it runs, what we look for is there.
  const kinds = new Set(left().map((line) => line.split(":")[0]));
  expect(kinds).toEqual(new Set(["processes", "cgroups", "files"]));
  // One call is still under way when it is told to stop.
  const hanging = mayfly.call("busy").catch(() => null);
  expect(await mayfly.stop()).toBe(0);
  await hanging;
  await sleep(200);
  expect(left()).toEqual([]);
}, 300_000);
