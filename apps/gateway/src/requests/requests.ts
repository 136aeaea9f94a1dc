import type { Readable } from "node:stream";
import { Fault, FRAME, type Frame, type ImageProgress } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import { bytesOf, framesAnswer, jsonAnswer } from "./answer.ts";
import { feed } from "./feed.ts";

/** A worker takes a request at once, or it has its hands full. */
const TAKEN_WITHIN_MS = 15_000;

export interface RequestsDeps<Id extends string> {
  /** What lies with the workers: `images`. */
  readonly what: string;
  readonly newId: (nowMs: number) => Id;
  /** Puts a job into the queue. */
  readonly add: (job: { readonly request: Id; readonly channel: string }) => Promise<void>;
  /** Takes one back that nobody took. */
  readonly remove: (id: Id) => Promise<void>;
  /** Where the data channel listens, as workers reach it. */
  readonly channel: string;
  /** Outboxes of workers that are connected now. */
  readonly workers: ReadonlySet<unknown>;
}

export interface Asking {
  /** Aborts when the client has gone: then the worker stops, too. */
  readonly signal: AbortSignal;
  /** What `load` and `import` read. */
  readonly body?: Readable;
  readonly onProgress?: (progress: ImageProgress) => void;
}

/** What lies with the workers. What is wanted of it is a job whose worker comes for the details, does it, and answers on that channel. */
export class Requests<Task, Id extends string> {
  readonly #deps: RequestsDeps<Id>;
  readonly #waiting = new Map<Id, PromiseWithResolvers<FrameChannel>>();

  constructor(deps: RequestsDeps<Id>) {
    this.#deps = deps;
  }

  /** @returns what the verb gives @throws Fault */
  async ask(task: Task, { signal, body, onProgress = () => {} }: Asking): Promise<unknown> {
    const channel = await this.open(task, signal);
    const feeding = body ? feed(body, channel) : null;
    try {
      return await jsonAnswer(channel, onProgress);
    } finally {
      channel.destroy();
      await feeding;
    }
  }

  /** Of a verb that answers with bytes. @throws Fault */
  async bytes(task: Task, { signal }: Asking): Promise<AsyncGenerator<Uint8Array>> {
    return bytesOf(await this.frames(task, { signal }));
  }

  /** Of a verb that answers with frames, up to their END. @throws Fault */
  async frames(task: Task, { signal }: Asking): Promise<AsyncGenerator<Frame>> {
    const channel = await this.open(task, signal);
    try {
      return await framesAnswer(channel);
    } catch (error) {
      channel.destroy();
      throw error;
    }
  }

  /** A worker that knows what is wanted: the channel is the caller's. @throws Fault */
  async open(task: Task, signal: AbortSignal): Promise<FrameChannel> {
    const channel = await this.#worker(signal);
    signal.addEventListener("abort", () => channel.destroy(), { once: true });
    if (signal.aborted) channel.destroy();
    await channel.sendJson(FRAME.RECORD, task);
    return channel;
  }

  /** Whether a worker that has come for a job is still waited for; then the channel is the request's. */
  take(request: Id): ((channel: FrameChannel) => void) | null {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    return waiting ? waiting.resolve : null;
  }

  async #worker(signal: AbortSignal): Promise<FrameChannel> {
    const { what, newId, add, remove, channel, workers } = this.#deps;
    const unavailable = (why: string, cause?: unknown) =>
      new Fault("unavailable", { detail: `${what} lie with the workers, and ${why}`, retryAfterSeconds: 5, cause });
    if (workers.size === 0) throw unavailable("no worker is connected");
    signal.throwIfAborted();
    const request = newId(Date.now());
    const waiting = Promise.withResolvers<FrameChannel>();
    waiting.promise.catch(() => {}); // Awaited below, maybe later than it fails.
    this.#waiting.set(request, waiting);
    const late = setTimeout(() => waiting.reject(unavailable("all of them are busy")), TAKEN_WITHIN_MS);
    const gone = () => waiting.reject(signal.reason);
    signal.addEventListener("abort", gone, { once: true });
    try {
      await add({ request, channel }).catch((cause) => {
        throw unavailable("the queue cannot be reached", cause);
      });
      return await waiting.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", gone);
      if (this.#waiting.delete(request)) void remove(request);
    }
  }
}
