import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { type Contract, decodeJson, encodeFrame, encodeJson, FRAME, type Frame, FrameDecoder } from "@mayfly/contract";

const RUNNER = join(import.meta.dirname, "../runner.ts");
const running: { readonly child: ChildProcess; readonly dir: string }[] = [];

/** For the end of a test: nothing of it is left. */
export function endRunners(): void {
  for (const { child, dir } of running.splice(0)) {
    child.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
}

/** The runner as an ordinary process: descriptor 3 is a socket here as it is in a box. */
export function start(source: string, env: Record<string, string> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-runner-"));
  writeFileSync(join(dir, "index.mjs"), source);
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", RUNNER], {
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, ...env },
  });
  running.push({ child, dir });
  const wire = child.stdio[3] as Duplex;
  const frames: Frame[] = [];
  const times: number[] = [];
  const decoder = new FrameDecoder();
  let log = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => (log += chunk));
  wire.on("data", (chunk) => {
    for (const frame of decoder.push(chunk)) {
      frames.push({ type: frame.type, payload: new Uint8Array(frame.payload) });
      times.push(performance.now());
    }
  });
  wire.on("error", () => {});
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  const init = (mode = "serve", contract: Contract | null = null) =>
    encodeJson(FRAME.INIT, { module: join(dir, "index.mjs"), contract, mode });
  return { wire, frames, times, ended, init, log: () => log };
}

export const head = (method: string, target: string, headers: [string, string][] = [], deadline_ms = 0) =>
  encodeJson(FRAME.HEAD, { method, target, headers, origin: "http://fn.test", invocation: "inv_1", deadline_ms });
export const END = encodeFrame(FRAME.END, new Uint8Array(0));

export async function call(
  source: string,
  method = "GET",
  target = "/",
  body: string[] = [],
  headers: [string, string][] = [],
  env: Record<string, string> = {},
) {
  const run = start(source, env);
  run.wire.write(run.init());
  run.wire.write(head(method, target, headers, Date.now() + 10_000));
  for (const part of body) run.wire.write(encodeFrame(FRAME.DATA, Buffer.from(part)));
  run.wire.write(END);
  const code = await run.ended;
  const of = (type: number) => run.frames.filter((frame) => frame.type === type);
  const answer = of(FRAME.HEAD)[0];
  const error = of(FRAME.ERROR)[0];
  return {
    code,
    log: run.log(),
    head: answer ? (decodeJson(answer) as { status: number; headers: [string, string][] }) : null,
    body: Buffer.concat(of(FRAME.DATA).map((frame) => frame.payload)).toString(),
    complete: of(FRAME.END).length === 1,
    error: error ? (decodeJson(error) as { code: string; message: string; stack: string }) : null,
    times: run.times,
    frames: run.frames,
  };
}
