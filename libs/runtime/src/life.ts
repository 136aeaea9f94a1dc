import { createRequire } from "node:module";
import { type BoxHead, type BoxInit, decodeJson, type ErrorFrame, FRAME, type Frame } from "@mayfly/contract";
import { checkResponse, sendResponse } from "./answer.ts";
import { BadResponse } from "./bad-response.ts";
import type { Context } from "./call.ts";
import { type CompiledFile, keepCompiled, useCompiled } from "./compiled.ts";
import { type Found, findHandler, type Handler } from "./handler.ts";
import { offerStreaming } from "./lambda/stream.ts";
import { loadModule } from "./load-module.ts";
import { selfTest } from "./self-test.ts";
import { requestBody, type Wire } from "./wire.ts";

const CANCEL_GRACE_MS = 100;
/** How long the worker may take to close its side. */
const LINGER_MS = 1_000;

export interface Surroundings {
  /** To and from the worker. */
  readonly wire: Wire;
  /** Ends the process. In a rehearsal it returns. */
  readonly exit: (code: number) => void;
  /** Called before user code is loaded, with what to do when it throws where nobody catches. */
  readonly guard: (fail: (error: unknown) => void) => void;
}

/**
 * The life of a code box from the inside: it waits to be told what to load, loads the user's module, serves one request, waits for what
 * the handler asked it to wait for, and ends. It holds no privilege that user code has not.
 */
export class Life {
  readonly #wire: Wire;
  readonly #exit: (code: number) => void;
  readonly #guard: Surroundings["guard"];
  #failing = false;
  /** Node's Request holds its own abort controller weakly from our signal: without a reference here a collection loses the abort. */
  serving: Request | null = null;

  constructor({ wire, exit, guard }: Surroundings) {
    this.#wire = wire;
    this.#exit = exit;
    this.#guard = guard;
  }

  async live(): Promise<void> {
    // Both come from the worker, which checked them: no schema library in the box.
    const init = decodeJson(await this.#expect(FRAME.INIT)) as BoxInit;
    if (init.mode === "self_test") {
      await selfTest(this.#wire);
      return this.#end(0);
    }
    this.#guard((error) => void this.#fail(error, "function_error"));
    const compiled = init.compile ? keepCompiled() : useCompiled();
    const found = await this.#load(init);
    await this.#wire.json(FRAME.READY, { exports: found.exports, contract: found.contract });
    if (compiled) await this.#handOver(compiled());
    if (init.mode === "detect") return this.#end(0);
    if (!found.handler)
      return this.#fail(new Error(`no handler among the exports: ${found.exports.join(", ")}`), "function_error");
    await this.#serve(found.handler, decodeJson(await this.#expect(FRAME.HEAD)) as BoxHead);
  }

  async #load({ module, contract }: BoxInit): Promise<Found> {
    try {
      // Modules may be CommonJS in disguise: esbuild's bundle asks for `require` where the source did.
      globalThis.require ??= createRequire(module);
      if (contract !== "fetch") offerStreaming();
      return findHandler(await loadModule(module), contract);
    } catch (error) {
      await this.#fail(error, "function_error", "the module failed while it was loaded: ");
      throw error;
    }
  }

  async #handOver(files: readonly CompiledFile[]): Promise<void> {
    await this.#wire.json(FRAME.HEAD, {
      files: files.map(({ path, contents }) => ({ path, size_bytes: contents.byteLength })),
    });
    for (const { contents } of files) await this.#wire.send(FRAME.DATA, contents);
    await this.#wire.send(FRAME.END, new Uint8Array(0));
  }

  async #serve(handler: Handler, head: BoxHead): Promise<void> {
    // A box that was made before its request learns of it now.
    process.env.MAYFLY_INVOCATION = head.invocation;
    process.env.MAYFLY_DEADLINE_MS = String(head.deadline_ms);
    const waiting: Promise<unknown>[] = [];
    const context: Context = {
      waitUntil: (promise) => void waiting.push(Promise.resolve(promise)),
      invocation: head.invocation,
      deadline: head.deadline_ms,
    };
    try {
      this.serving = this.#request(head);
      const response = checkResponse(await handler({ head, request: this.serving, env: userEnv(), context }));
      await sendResponse(this.#wire, response, head.method !== "HEAD");
      this.#wire.onGone = () => {}; // It has its answer.
    } catch (error) {
      return this.#fail(error, error instanceof BadResponse ? "bad_response" : "function_error");
    }
    await settle(waiting);
    await this.#end(0);
  }

  #request(head: BoxHead): Request {
    const gone = new AbortController();
    this.#wire.onGone = () => {
      gone.abort(new Error("the caller went away"));
      setTimeout(() => this.#exit(1), CANCEL_GRACE_MS);
    };
    const withBody = head.method !== "GET" && head.method !== "HEAD";
    if (!withBody) void this.#wire.watch();
    return new Request(new URL(head.target, head.origin), {
      method: head.method,
      headers: head.headers.map(([name, value]): [string, string] => [name, value]),
      signal: gone.signal,
      ...(withBody ? { body: requestBody(this.#wire), duplex: "half" } : {}),
    } as RequestInit);
  }

  /** The stack goes to the log with the user's files and lines; the worker learns the message. Ends the box. */
  async #fail(error: unknown, code: ErrorFrame["code"], prefix = ""): Promise<void> {
    if (this.#failing) return;
    this.#failing = true;
    const known = error instanceof Error ? error : new Error(`a value that is no Error was thrown: ${String(error)}`);
    const stack = known.stack ?? `${known.name}: ${known.message}`;
    process.stderr.write(`${prefix}${stack}\n`);
    await this.#wire.json(FRAME.ERROR, {
      code,
      message: `${prefix}${known.message}`.slice(0, 4_000),
      stack: stack.slice(0, 16_000),
    });
    await this.#end(1);
  }

  /** Whatever the handler left running does not keep the box. */
  async #end(code: number): Promise<void> {
    this.#wire.onGone = () => {};
    await this.#wire.finish();
    if (this.serving) await this.#linger();
    await Promise.all(
      [process.stdout, process.stderr].map(
        (stream) => new Promise<void>((resolve) => stream.write("", () => resolve())),
      ),
    );
    this.#exit(code);
  }

  /** What is on its way to a socket that closes comes back as an error, which can reach the worker before the answer does. */
  async #linger(): Promise<void> {
    let late: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      late = setTimeout(resolve, LINGER_MS);
    });
    await Promise.race([this.#wire.watch(), tooLate]);
    clearTimeout(late);
  }

  async #expect(type: Frame["type"]): Promise<Frame> {
    const frame = await this.#wire.next();
    if (frame?.type === type) return frame;
    // The worker is gone, or it is not ours.
    this.#exit(1);
    return new Promise<never>(() => {});
  }
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

declare global {
  var require: NodeJS.Require;
}
