import type { IncomingMessage, ServerResponse } from "node:http";
import type { InvokeJob } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";

export const CALL_STATES = ["queued", "running", "settling"] as const;

/** A call that was admitted and is not over. */
export interface Call {
  readonly job: InvokeJob;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The caller has the key and may read what went wrong inside of the function. */
  readonly trusted: boolean;
  /** Changed by the registry alone, which counts. `settling`: the answer is over, the bill is on its way. */
  state: (typeof CALL_STATES)[number];
  channel: FrameChannel | null;
}

/** Calls that wait for a worker, and calls that a worker serves. */
export interface Load {
  readonly queued: number;
  readonly running: number;
}
const NONE: Load = { queued: 0, running: 0 };

/** Calls that are under way on this gateway. A worker's claim of one succeeds once. */
export class CallRegistry {
  readonly #calls = new Map<string, Call>();
  readonly #ofFunction = new Map<string, Load>();
  #all = NONE;

  add(call: Call): void {
    this.#calls.set(call.job.invocation, call);
    this.#count(call, 1);
  }

  /** For a worker: the call, now running; null when it is over, unknown, or taken already. */
  claim(id: string, channel: FrameChannel): Call | null {
    const call = this.#calls.get(id);
    if (call?.state !== "queued") return null;
    this.#move(call, "running");
    call.channel = channel;
    return call;
  }

  /** The answer is over. The call can still be shown. */
  settle(id: string): void {
    const call = this.#calls.get(id);
    if (call) this.#move(call, "settling");
  }

  get(id: string): Call | null {
    return this.#calls.get(id) ?? null;
  }

  remove(id: string): void {
    const call = this.#calls.get(id);
    if (!call) return;
    this.#count(call, -1);
    this.#calls.delete(id);
  }

  /** Of one function, or of all. Does not grow with the number of calls. */
  load(name?: string): Load {
    return name === undefined ? this.#all : (this.#ofFunction.get(name) ?? NONE);
  }

  /** Newest first. */
  list(): Call[] {
    return [...this.#calls.values()].reverse();
  }

  #move(call: Call, state: Call["state"]): void {
    this.#count(call, -1);
    call.state = state;
    this.#count(call, 1);
  }

  #count({ state, job }: Call, by: 1 | -1): void {
    if (state === "settling") return;
    const name = job.version.function;
    const load = this.load(name);
    const next = { ...load, [state]: load[state] + by };
    if (next.queued + next.running === 0) this.#ofFunction.delete(name);
    else this.#ofFunction.set(name, next);
    this.#all = { ...this.#all, [state]: this.#all[state] + by };
  }
}
