import type { Readable } from "node:stream";
import {
  Fault,
  FRAME,
  type ImageProgress,
  type ImageRequestId,
  type ImageTask,
  newImageRequestId,
} from "@mayfly/contract";
import type { FrameChannel, Producer } from "@mayfly/queue";
import { bytesAnswer, jsonAnswer } from "./answer.ts";
import { feed } from "./feed.ts";

/** A worker takes a request at once, or it has its hands full. */
const TAKEN_WITHIN_MS = 15_000;

export interface ImageRequestsDeps {
  readonly producer: Pick<Producer, "image" | "removeImage">;
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

/** Images lie with the workers. What is wanted of them is a job whose worker comes for the details, does it, and answers on that channel. */
export class ImageRequests {
  readonly #deps: ImageRequestsDeps;
  readonly #waiting = new Map<ImageRequestId, PromiseWithResolvers<FrameChannel>>();

  constructor(deps: ImageRequestsDeps) {
    this.#deps = deps;
  }

  /** @returns the verb's member of `ImageResults` @throws Fault */
  async ask(task: ImageTask, { signal, body, onProgress = () => {} }: Asking): Promise<unknown> {
    const channel = await this.#open(task, signal);
    const feeding = body ? feed(body, channel) : null;
    try {
      return await jsonAnswer(channel, onProgress);
    } finally {
      channel.destroy();
      await feeding;
    }
  }

  /** Of `save` and `export`. @throws Fault */
  async bytes(task: ImageTask, { signal }: Asking): Promise<AsyncGenerator<Uint8Array>> {
    const channel = await this.#open(task, signal);
    try {
      return await bytesAnswer(channel);
    } catch (error) {
      channel.destroy();
      throw error;
    }
  }

  /** Whether a worker that has come for a job is still waited for; then the channel is the request's. */
  take(request: ImageRequestId): ((channel: FrameChannel) => void) | null {
    const waiting = this.#waiting.get(request);
    this.#waiting.delete(request);
    return waiting ? waiting.resolve : null;
  }

  async #open(task: ImageTask, signal: AbortSignal): Promise<FrameChannel> {
    const channel = await this.#worker(signal);
    signal.addEventListener("abort", () => channel.destroy(), { once: true });
    if (signal.aborted) channel.destroy();
    await channel.sendJson(FRAME.RECORD, task);
    return channel;
  }

  async #worker(signal: AbortSignal): Promise<FrameChannel> {
    const { producer, channel, workers } = this.#deps;
    const unavailable = (why: string, cause?: unknown) =>
      new Fault("unavailable", { detail: `images lie with the workers, and ${why}`, retryAfterSeconds: 5, cause });
    if (workers.size === 0) throw unavailable("no worker is connected");
    signal.throwIfAborted();
    const request = newImageRequestId(Date.now());
    const waiting = Promise.withResolvers<FrameChannel>();
    waiting.promise.catch(() => {}); // Awaited below, maybe later than it fails.
    this.#waiting.set(request, waiting);
    const late = setTimeout(() => waiting.reject(unavailable("all of them are busy")), TAKEN_WITHIN_MS);
    const gone = () => waiting.reject(signal.reason);
    signal.addEventListener("abort", gone, { once: true });
    try {
      await producer.image({ request, channel }).catch((cause) => {
        throw unavailable("the queue cannot be reached", cause);
      });
      return await waiting.promise;
    } finally {
      clearTimeout(late);
      signal.removeEventListener("abort", gone);
      if (this.#waiting.delete(request)) void producer.removeImage(request);
    }
  }
}
