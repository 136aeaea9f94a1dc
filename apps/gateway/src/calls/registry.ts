import type { IncomingMessage, ServerResponse } from "node:http";
import type { InvokeJob } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";

/** A call that was admitted and is not over. */
export interface Call {
  readonly job: InvokeJob;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The caller has the key and may read what went wrong inside of the function. */
  readonly trusted: boolean;
  state: "queued" | "running" | "settling";
  channel: FrameChannel | null;
}

/** Calls that are under way on this gateway. A worker's claim of one succeeds once. */
export class CallRegistry {
  readonly #calls = new Map<string, Call>();

  add(call: Call): void {
    this.#calls.set(call.job.invocation, call);
  }

  /** For a worker: the call, now running; null when it is over, unknown, or taken already. */
  claim(id: string, channel: FrameChannel): Call | null {
    const call = this.#calls.get(id);
    if (call?.state !== "queued") return null;
    call.state = "running";
    call.channel = channel;
    return call;
  }

  get(id: string): Call | null {
    return this.#calls.get(id) ?? null;
  }

  remove(id: string): void {
    this.#calls.delete(id);
  }

  count(matches: (call: Call) => boolean): number {
    let count = 0;
    for (const call of this.#calls.values()) if (matches(call)) count += 1;
    return count;
  }

  /** Newest first. */
  list(): Call[] {
    return [...this.#calls.values()].reverse();
  }
}
