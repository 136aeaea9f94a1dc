import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { buildSync } from "esbuild";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { temporaryDirectory } from "../../testing/temporary.ts";
import { builtCourier } from "../testing/courier.ts";
import { emptyStore } from "../testing/images.ts";
import { MiB, type Peer, startPeer } from "../testing/peer.ts";

const programs = builtCourier();
const USER = 0x7e000001;

/** Processes that run the courier's program, of this test run. */
const couriers = (): number[] =>
  readdirSync("/proc").flatMap((pid) => {
    if (!/^\d+$/.test(pid)) return [];
    try {
      const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      return args[0] === process.execPath && args.includes(programs.program) ? [Number(pid)] : [];
    } catch {
      return [];
    }
  });

async function listening(where: number | string): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(where);
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return server;
}

describe("in the courier's cage", () => {
  /** The probe, in the cage and outside of it. */
  async function probed(): Promise<[caged: Record<string, unknown>, free: Record<string, unknown>]> {
    const dir = await temporaryDirectory("memory");
    const program = join(dir, "probe.mjs");
    const entryPoints = [join(import.meta.dirname, "../testing/probe.ts")];
    buildSync({ entryPoints, outfile: program, bundle: true, platform: "node", format: "esm" });
    const [path, abstract] = [join(dir, "socket"), `@mayfly-probe-${process.pid}`];
    const tcp = await listening(0);
    await listening(path);
    await listening(abstract.replace("@", "\0"));
    const { port } = tcp.address() as { port: number };
    const args = [process.execPath, program, String(port), path, abstract, String(process.pid)];
    const run = async (...command: string[]) => {
      const child = spawn(command[0]!, command.slice(1), { stdio: ["ignore", "ignore", "inherit", "pipe"], env: {} });
      return JSON.parse(await text(child.stdio[3] as Readable));
    };
    return [await run(programs.cage, String(USER), "4", program, "--", ...args), await run(...args)];
  }

  it("there is the network of the host, and nothing else of it", async () => {
    const [caged, free] = await probed();
    expect(free).toMatchObject({ files: "done", processes: "done", write: "done", program: "done", root: "done" });
    expect(free).toMatchObject({ kill: "done", socket: "done", abstract: "done", internet: "done", user: 0 });
    expect(caged).toMatchObject({ files: "ENOENT", processes: "ENOENT", program: "EPERM", root: "EPERM" });
    expect(caged).toMatchObject({ kill: "EPERM", socket: "EACCES", abstract: "EACCES", internet: "done" });
    expect(caged).toMatchObject({ write: expect.stringMatching(/ENOENT|EROFS/), user: USER, groups: [USER] });
    expect(String(caged.seen).split(" ")).not.toContain("home");
  });

  it("what does not fit is refused, and nothing is started", () => {
    const refused =
      (...args: string[]) =>
      () =>
        execFileSync(programs.cage, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const user of ["0", "-1", "x", "4294967296"]) expect(refused(user, "4", "--", "/bin/true")).toThrow(/no user/);
    expect(refused("5", "4", "relative", "--", "/bin/true")).toThrow(/not absolute/);
    expect(refused("5", "4", "/usr")).toThrow();
  });
});

describe("a courier", () => {
  let peer: Peer;
  beforeAll(async () => {
    peer = await startPeer(programs);
    await peer.client(peer.ours).push(peer.large, `${peer.front.host}/large:1`);
  });
  beforeEach(() => peer.reset());
  afterAll(() => peer.close());

  it("has no power, and is gone when it has had nothing to do for a while", async () => {
    const theirs = await emptyStore();
    let status = "";
    const onProgress = () => {
      const [pid] = couriers();
      status ||= pid === undefined ? "" : readFileSync(`/proc/${pid}/status`, "utf8");
    };
    await peer.client(theirs).pull(`${peer.front.host}/large:1`, { onProgress });
    for (const line of [/^CapBnd:\t0+$/m, /^CapPrm:\t0+$/m, /^NoNewPrivs:\t1$/m, /^Seccomp:\t2$/m, /^Groups:\t *$/m])
      expect(status).toMatch(line);
    expect(Number(/^Uid:\t(\d+)/m.exec(status)![1])).toBeGreaterThanOrEqual(0x7e000000);
    await expect.poll(couriers, { timeout: 20_000 }).toEqual([]);
  });

  it("that is killed in the middle of a blob is followed by another, which goes on from there", async () => {
    const theirs = await emptyStore();
    let killed = 0;
    const again: string[] = [];
    await peer.client(theirs).pull(`${peer.front.host}/large:1`, {
      onProgress({ state, done_bytes, reason }) {
        if (state === "again") again.push(reason!);
        if (state !== "moving" || done_bytes < MiB / 2 || killed > 0) return;
        for (const pid of couriers()) process.kill(pid, "SIGKILL");
        killed += 1;
      },
    });
    expect(killed).toBe(1);
    // The configuration may have been on its way as well.
    expect(again.length).toBeGreaterThan(0);
    for (const reason of again) expect(reason).toContain("the courier ended by SIGKILL");
    expect((await theirs.fsck()).problems).toEqual([]);
  });

  it("that cannot be started is told of by name", async () => {
    const courier = { ...programs, cage: "/nowhere/courier-cage" };
    const pull = peer.client(await emptyStore(), { courier }).pull(`${peer.front.host}/large:1`);
    await expect(pull).rejects.toMatchObject({ reason: "io", message: expect.stringMatching(/cannot be started/) });
  });
});
