import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { InvocationRecord } from "@mayfly/contract";
import { copyBaseImages } from "./base-images.ts";

const ROOT = resolve(import.meta.dirname, "../..");
export const KEY = "mf_test_key_for_the_suite";

/** A whole Mayfly on a home of its own, started by the same script as `npm start`, spoken to over HTTP alone. */
export interface System {
  readonly url: string;
  readonly home: string;
  readonly output: () => string;
  api(path: string, init?: RequestInit): Promise<Response>;
  deploy(
    name: string,
    source: string | Uint8Array,
    query?: string,
    headers?: Record<string, string>,
  ): Promise<Response>;
  call(path: string, init?: RequestInit): Promise<Response>;
  /** The settled record of a call. */
  record(answer: Response | string): Promise<Settled>;
  log(id: string): Promise<string>;
  pid(service: "gateway" | "worker" | "redis"): number | null;
  stop(): Promise<number>;
}

export type Settled = InvocationRecord & {
  bill: InvocationRecord["bill"] & { ledger: { seq: number; prev: string; hash: string } };
};

/** @param under a command that runs the one it is given in other namespaces: the API is then reached from there alone */
export async function startSystem(env: Record<string, string> = {}, under: readonly string[] = []): Promise<System> {
  const home = mkdtempSync(join(tmpdir(), "mayfly-e2e-"));
  chmodSync(home, 0o755);
  await copyBaseImages(home);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = [join(ROOT, "infra/src/start.ts"), "--verbose"];
  // A test run that is killed takes its systems along.
  const dying = ["setpriv", "--pdeathsig=INT"];
  const [program, ...args] = [...under, ...dying, process.execPath, "--disable-warning=ExperimentalWarning", ...start];
  const child = spawn(program!, args, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
    env: { ...process.env, MAYFLY_HOME: home, MAYFLY_LISTEN: `127.0.0.1:${port}`, MAYFLY_KEY: KEY, ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  await running(child, () => output);

  const api: System["api"] = (path, init = {}) =>
    fetch(`${url}${path}`, {
      ...init,
      headers: { authorization: `Bearer ${KEY}`, ...(init.headers as Record<string, string>) },
    });
  return {
    url,
    home,
    output: () => output,
    api,
    deploy: (name, source, query = "", headers = {}) =>
      api(`/v1/functions/${name}?wait=60${query ? `&${query}` : ""}`, {
        method: "PUT",
        body: source as string,
        headers,
      }),
    call: (path, init) => fetch(`${url}/fn/${path}`, init),
    record: async (answer) => {
      const id = typeof answer === "string" ? answer : answer.headers.get("mayfly-invocation");
      for (let tries = 0; tries < 8; tries += 1) {
        const shown = (await (await api(`/v1/invocations/${id}?wait=5`)).json()) as Settled;
        if (shown.bill) return shown;
      }
      throw new Error(`no bill for ${id}\n${output.slice(-4000)}`);
    },
    log: async (id) => (await api(`/v1/invocations/${id}/log`)).text(),
    pid: (service) => findService(child.pid!, service),
    stop: async () => {
      // As Ctrl-C does it: the signal goes to the whole foreground group. One that has ended has none.
      if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid!, "SIGINT");
      const [code] = child.exitCode === null ? await once(child, "exit") : [child.exitCode];
      rmSync(home, { recursive: true, force: true });
      return code ?? 1;
    },
  };
}

async function running(child: ChildProcess, output: () => string): Promise<void> {
  for (let waited = 0; waited < 280_000; waited += 50) {
    if (output().includes("Running. Ctrl-C")) return;
    if (child.exitCode !== null) throw new Error(`npm start ended with ${child.exitCode}:\n${output()}`);
    await sleep(50);
  }
  child.kill("SIGKILL");
  throw new Error(`the system did not start in time:\n${output()}`);
}

function findService(supervisor: number, service: string): number | null {
  const marks = { gateway: "apps/gateway.mjs", worker: "apps/worker.mjs", redis: "redis-server" };
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
      if (Number(parent) !== supervisor) continue;
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(marks[service as keyof typeof marks]))
        return Number(pid);
    } catch {
      // It ended while we looked.
    }
  }
  return null;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
