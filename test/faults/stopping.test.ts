import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { instanceOf } from "../../infra/src/home.ts";
import { type System, startSystem } from "../e2e/system.ts";

let running: System | undefined;
afterEach(() => running?.stop(), 60_000);

const BURNER = "export default () => { for (;;) {} }";

/** What an instance has on the machine: cgroups, and the tables of its network. */
function marksOf(instance: string): string[] {
  const groups = readdirSync("/sys/fs/cgroup", { recursive: true, encoding: "utf8" });
  const tables = execFileSync("nft", ["list", "tables"], { encoding: "utf8" }).split("\n");
  return [
    ...groups.filter((path) => path.includes(instance) && path.endsWith("cgroup.procs")),
    ...tables.filter((line) => line.includes(instance)),
  ];
}

/** In the middle of a call. */
async function killWorker(mayfly: System): Promise<void> {
  expect((await mayfly.deploy("burner", BURNER, "timeout=30s&network=egress")).status).toBe(201);
  const calling = mayfly.call("burner");
  calling.catch(() => {}); // Nobody answers it any more.
  await sleep(500);
  process.kill(mayfly.pid("worker")!, "SIGKILL");
}

/** The worker is dead, or its successor is at any point of its start: somebody has to take down what the first one had. */
describe.each([0, 400, 1500])("a system that is stopped %i ms after its worker was killed", (after_ms) => {
  it("leaves nothing", async () => {
    const mayfly = await startSystem();
    running = mayfly;
    const instance = instanceOf(mayfly.home);
    await killWorker(mayfly);
    expect(marksOf(instance).join("\n")).toMatch(/inv_.*table inet/s);
    await sleep(after_ms);
    running = undefined;
    expect(await mayfly.stop()).toBe(0);
    expect(marksOf(instance)).toEqual([]);
  }, 120_000);
});

/** Starts a system, calls a function until boxes wait for it, frozen, says where its home is, and goes on reading. */
const STARTER = `
const { startSystem } = await import(${JSON.stringify(join(import.meta.dirname, "../e2e/system.ts"))});
const mayfly = await startSystem();
await mayfly.deploy("hello", 'export default () => new Response("hello")');
for (let i = 0; i < 5; i += 1) await mayfly.call("hello");
await new Promise((resolve) => setTimeout(resolve, 500));
console.log(mayfly.home);
setInterval(() => {}, 1000);`;

describe("a system whose starter is killed, so that nobody reads what it says", () => {
  it("leaves nothing", async () => {
    const node = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", STARTER];
    const starter = spawn(process.execPath, node, { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(starter.stdout, "data")) as [Buffer];
    const home = said.toString().trim();
    try {
      const instance = instanceOf(home);
      expect(marksOf(instance)).not.toEqual([]);
      starter.kill("SIGKILL");
      await expect.poll(() => marksOf(instance), { timeout: 60_000, interval: 200 }).toEqual([]);
    } finally {
      starter.kill("SIGKILL");
      rmSync(home, { recursive: true, force: true });
    }
  }, 120_000);
});
