import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { instanceOf } from "../../infra/src/home.ts";
import { shellRoot } from "../../libs/build/src/testing/shell-root.ts";
import { type System, startSystem } from "../e2e/system.ts";

/** How often a worker is killed; more by hand: MAYFLY_TEST_KILLS=50. */
const ROUNDS = Number(process.env.MAYFLY_TEST_KILLS ?? 6);

/** So many builds are under way before they are waited for: what a kill stopped is begun again when its lock is over. */
const BATCH = 6;

/** Each round another Dockerfile, so that each has steps to make; its end says what all of it must come to. */
const dockerfile = (round: number) => `FROM shell:1 AS a
RUN --mount=type=cache,target=/cache echo ${round} > /cache/last && mkdir /a && echo ${round} > /a/one && sleep 0.2
RUN cat /a/one /a/one > /a/two && sleep 0.2
FROM shell:1
COPY --from=a /a /kept
RUN cat /kept/two /kept/one > /kept/three && rm /kept/one
`;

describe("a worker that is killed -9 while it builds", () => {
  let mayfly: System;
  beforeAll(async () => {
    mayfly = await startSystem();
    const body = new Uint8Array(shellRoot());
    expect((await mayfly.api("/v1/images/shell:1/rootfs", { method: "PUT", body })).status).toBe(200);
  }, 300_000);
  afterAll(() => mayfly?.stop(), 60_000);

  const worker = async (): Promise<number> => {
    for (let waited = 0; waited < 30_000; waited += 50) {
      const pid = mayfly.pid("worker");
      if (pid !== null) return pid;
      await sleep(50);
    }
    throw new Error(`no worker came back\n${mayfly.output().slice(-2000)}`);
  };
  const post = (round: number) =>
    mayfly.api(`/v1/builds?t=built:${round}`, { method: "POST", body: dockerfile(round) });
  /** What a build came to, whoever carried it out. */
  const ended = async (id: string) => {
    for (let tries = 0; tries < 12; tries += 1) {
      const answer = await mayfly.api(`/v1/builds/${id}?wait=10`);
      const shown = (await answer.json()) as { status: string; error: unknown };
      if (shown.status !== "queued") return shown;
    }
    throw new Error(`build ${id} never ended\n${mayfly.output().slice(-3000)}`);
  };

  it(`${ROUNDS} times leaves no half layer, no box and no folder, and every build comes to what it should`, async () => {
    for (let first = 0; first < ROUNDS; first += BATCH) {
      const begun: [number, string][] = [];
      for (let round = first; round < Math.min(first + BATCH, ROUNDS); round += 1) {
        begun.push([round, ((await (await post(round)).json()) as { build: { id: string } }).build.id]);
        await sleep(20 + Math.random() * 1_200);
        process.kill(await worker(), "SIGKILL");
      }
      for (const [round, id] of begun) {
        const { status, error } = await ended(id);
        expect([round, status, error]).toEqual([round, "done", null]);
        const names = await files(mayfly, `built:${round}`);
        expect(names).toEqual({ "kept/two": `${round}\n${round}\n`, "kept/three": `${round}\n${round}\n${round}\n` });
      }
    }
    const check = await mayfly.api("/v1/images/fsck", { method: "POST", body: '{"deep":true}' });
    expect(await check.json()).toMatchObject({ problems: [] });
    const scratch = join(mayfly.home, "boxes", "scratch");
    expect(existsSync(scratch) ? readdirSync(scratch) : []).toEqual([]);
    expect(boxesOfBuilds(mayfly.home)).toEqual([]);
    expect(readdirSync(join(mayfly.home, "build-cache", "mounts")).filter((name) => name.startsWith("gone-"))).toEqual(
      [],
    );
  }, 900_000);
});

/** Cgroups of builds' boxes of the instance with this home, which is not the only one. */
function boxesOfBuilds(home: string): string[] {
  const instance = instanceOf(home);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").matchAll(/^(?:\S+ ){4}(\S*\/cgroup\S*) /gm);
  const dirs = [...mounts]
    .map(([, hierarchy]) => join(hierarchy!, "mayfly", instance))
    .filter((dir) => existsSync(dir));
  expect(dirs).not.toEqual([]);
  return dirs.flatMap((dir) => readdirSync(dir)).filter((name) => name.startsWith("bld_"));
}

/** What an image has in /kept, with its contents. */
async function files(mayfly: System, image: string): Promise<Record<string, string>> {
  let answer = await mayfly.api(`/v1/images/${image}/rootfs`);
  // A build may have ended before the worker was killed that would read its image now.
  for (let tries = 0; answer.status === 503 && tries < 300; tries += 1) {
    await sleep(100);
    answer = await mayfly.api(`/v1/images/${image}/rootfs`);
  }
  if (!answer.ok) throw new Error(`${image}: ${answer.status} ${await answer.text()}`);
  const input = Buffer.from(await answer.arrayBuffer());
  const tar = (...args: string[]) => execFileSync("tar", args, { input, maxBuffer: 1 << 28, encoding: "utf8" });
  const names = tar("-t")
    .split("\n")
    .filter((name) => name.startsWith("kept/") && !name.endsWith("/"));
  return Object.fromEntries(names.map((name) => [name, tar("-xO", name)]));
}
