import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../../../infra/src/root.ts";
import { freePort } from "../../e2e/system.ts";

const PROGRAMS = join(import.meta.dirname, "..", "programs");
const READY_WITHIN_MS = 20_000;

/** A server that runs the handler in one process for all requests, behind a hop like our gateway. */
export interface Reused {
  readonly name: string;
  readonly url: string;
  readonly pids: readonly number[];
  /** What it does not keep apart. */
  readonly honesty: string;
}

export async function functionsFramework(after: AsyncDisposableStack): Promise<Reused> {
  const main = packageFile("@google-cloud/functions-framework", "build/src/main.js");
  const source = join(PROGRAMS, "functions-framework");
  const args = (port: number) => [main, "--target=hello", `--source=${source}`, `--port=${port}`];
  return {
    name: "functions-framework",
    ...(await behindProxy(process.execPath, args, after)),
    honesty:
      "functions-framework keeps nothing apart: one process, one heap, one /tmp and the rights of whoever started it serve all requests and all callers; it limits and meters nothing.",
  };
}

export async function workerd(after: AsyncDisposableStack): Promise<Reused> {
  const binary = packageFile(`@cloudflare/workerd-linux-${process.arch === "arm64" ? "arm64" : "64"}`, "bin/workerd");
  const args = (port: number) => [
    "serve",
    join(PROGRAMS, "workerd/config.capnp"),
    `--socket-addr=http=127.0.0.1:${port}`,
  ];
  return {
    name: "workerd",
    ...(await behindProxy(binary, args, after)),
    honesty:
      "workerd keeps services apart by V8 isolates inside one process, not requests: the isolate's globals live from one request to the next, a hole in V8 opens the whole process, and it runs the Workers' API, not Node with its files and processes. It limits and meters nothing by itself.",
  };
}

async function behindProxy(
  file: string,
  args: (port: number) => readonly string[],
  after: AsyncDisposableStack,
): Promise<Pick<Reused, "url" | "pids">> {
  const backend = await startServer(file, args, after);
  const proxy = await startServer(
    process.execPath,
    (port) => [join(PROGRAMS, "proxy.ts"), String(port), backend.url],
    after,
  );
  return { url: proxy.url, pids: [backend.pid, proxy.pid] };
}

async function startServer(
  file: string,
  args: (port: number) => readonly string[],
  after: AsyncDisposableStack,
): Promise<{ url: string; pid: number }> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const child = spawn(file, args(port), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env.PATH, NODE_ENV: "production", NODE_OPTIONS: "--disable-warning=ExperimentalWarning" },
  });
  after.defer(() => stop(child));
  let errors = "";
  child.stderr.on("data", (chunk) => (errors += chunk));
  for (let waited = 0; waited < READY_WITHIN_MS && child.exitCode === null; waited += 50) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.ok && (await answer.text()) === "hello\n") return { url, pid: child.pid! };
    await sleep(50);
  }
  throw new Error(`${file} ${args(port).join(" ")} does not answer at ${url}: ${errors}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGKILL");
  await once(child, "exit");
}

const packageFile = (name: string, path: string): string => join(ROOT, "node_modules", name, path);
