import { FRAME } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";

/** Channels of the builds that workers are busy with. */
export class BuildWorkers {
  readonly #of = new Map<string, FrameChannel>();

  /** Until the channel is closed. */
  async while<T>(build: string, channel: FrameChannel, work: () => Promise<T>): Promise<T> {
    this.#of.set(build, channel);
    try {
      return await work();
    } finally {
      if (this.#of.get(build) === channel) this.#of.delete(build);
    }
  }

  /** Takes the go-ahead back: the worker stops what runs. */
  cancel(build: string): void {
    const go = { go: false, reason: "the build was canceled" };
    this.#of
      .get(build)
      ?.sendJson(FRAME.GO, go)
      .catch(() => {
        // Its worker has gone, and the build with it.
      });
  }
}
