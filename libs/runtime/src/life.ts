import { createRequire } from "node:module";
import { type BoxHead, type BoxInit, decodeJson, type ErrorFrame, FRAME, type Frame } from "@mayfly/contract";
import { BadResponse, checkResponse, sendResponse } from "./answer.ts";
import { type Context, findHandler, type Handler } from "./handler.ts";
import { loadModule } from "./load-module.ts";
import { selfTest } from "./self-test.ts";
import { requestBody, Wire } from "./wire.ts";

/**
 * The program in a code box. It waits to be told what to load (by then it is in its cgroup), loads the user's module, serves one
 * request, waits for what the handler asked it to wait for, and ends. It holds no privilege that user code has not.
 */
const CHANNEL = 3;
const CANCEL_GRACE_MS = 100;

// Before user code can replace it.
const { exit } = process;
let wire: Wire;

/** `announce`: says first that it is up, for a worker that moves it to its cgroup then. */
export async function live({ announce }: { readonly announce: boolean }): Promise<void> {
  process.setSourceMapsEnabled(true);
  wire = new Wire(CHANNEL);
  if (announce) await wire.json(FRAME.RECORD, { booted: true });
  // Both come from the worker, which checked them: no schema library in the box.
  const init = decodeJson(await expectFrame(FRAME.INIT)) as BoxInit;
  if (init.mode === "self_test") {
    await selfTest(wire);
    return end(0);
  }
  process.on("uncaughtException", (error) => void fail(error, "function_error"));
  process.on("unhandledRejection", (error) => void fail(error, "function_error"));

  const found = findHandler(await load(init.module));
  await wire.json(FRAME.READY, { exports: found.exports, contract: found.handler ? "fetch" : null });
  if (init.mode === "detect") return end(0);
  if (!found.handler)
    return fail(new Error(`no handler among the exports: ${found.exports.join(", ")}`), "function_error");

  await serve(found.handler, decodeJson(await expectFrame(FRAME.HEAD)) as BoxHead);
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    // Modules may be CommonJS in disguise: esbuild's bundle asks for `require` where the source did.
    globalThis.require ??= createRequire(path);
    return await loadModule(path);
  } catch (error) {
    await fail(error, "function_error", "the module failed while it was loaded: ");
    throw error;
  }
}

async function serve(handler: Handler, head: BoxHead): Promise<void> {
  // A box that was made before its request learns of it now.
  process.env.MAYFLY_INVOCATION = head.invocation;
  process.env.MAYFLY_DEADLINE_MS = String(head.deadline_ms);
  const gone = new AbortController();
  wire.onGone = () => {
    gone.abort(new Error("the caller went away"));
    setTimeout(() => exit(1), CANCEL_GRACE_MS);
  };
  const waiting: Promise<unknown>[] = [];
  const context: Context = {
    waitUntil: (promise) => void waiting.push(Promise.resolve(promise)),
    invocation: head.invocation,
    deadline: head.deadline_ms,
  };
  const withBody = head.method !== "GET" && head.method !== "HEAD";
  if (!withBody) void wire.watch();
  const request = new Request(new URL(head.target, head.origin), {
    method: head.method,
    headers: head.headers.map(([name, value]): [string, string] => [name, value]),
    signal: gone.signal,
    ...(withBody ? { body: requestBody(wire), duplex: "half" } : {}),
  } as RequestInit);
  serving = request;
  try {
    const response = checkResponse(await handler(request, userEnv(), context));
    await sendResponse(wire, response, head.method !== "HEAD");
  } catch (error) {
    return fail(error, error instanceof BadResponse ? "bad_response" : "function_error");
  }
  await settle(waiting);
  await end(0);
}

/** Also waits for promises that were handed over while it waited. */
async function settle(waiting: Promise<unknown>[]): Promise<void> {
  for (let seen = 0; seen < waiting.length; ) {
    const batch = waiting.slice(seen);
    seen = waiting.length;
    for (const result of await Promise.allSettled(batch)) {
      if (result.status === "rejected") console.error("waitUntil:", result.reason);
    }
  }
}

function userEnv(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/** Node's Request holds its own abort controller weakly from our signal: without a reference here a collection loses the abort. */
export let serving: Request | null = null;

let failing = false;
/** The stack goes to the log with the user's files and lines; the worker learns the message. Ends the box. */
async function fail(error: unknown, code: ErrorFrame["code"], prefix = ""): Promise<void> {
  if (failing) return;
  failing = true;
  const known = error instanceof Error ? error : new Error(`a value that is no Error was thrown: ${String(error)}`);
  const stack = known.stack ?? `${known.name}: ${known.message}`;
  process.stderr.write(`${prefix}${stack}\n`);
  await wire.json(FRAME.ERROR, {
    code,
    message: `${prefix}${known.message}`.slice(0, 4_000),
    stack: stack.slice(0, 16_000),
  });
  await end(1);
}

/** Whatever the handler left running does not keep the box. */
async function end(code: number): Promise<void> {
  await wire.finish();
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise<void>((resolve) => stream.write("", () => resolve()))),
  );
  exit(code);
}

async function expectFrame(type: Frame["type"]): Promise<Frame> {
  const frame = await wire.next();
  if (frame?.type === type) return frame;
  // The worker is gone, or it is not ours.
  return exit(1);
}

declare global {
  var require: NodeJS.Require;
}
