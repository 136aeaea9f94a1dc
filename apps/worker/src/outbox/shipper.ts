import { setTimeout as sleep } from "node:timers/promises";
import { decodeJson } from "@mayfly/contract";
import type { Spool } from "@mayfly/ledger";
import { connectChannel, type FrameChannel, sendRecord } from "@mayfly/queue";
import type { Logger } from "pino";
import { z } from "zod";

const Ack = z.object({ seq: z.int() });
const BATCH = 64;
const RETRY_MS = { first: 50, last: 2_000 };

/**
 * Carries the spool's records to the gateway: at least once, in order; a record leaves the spool when the gateway has acknowledged
 * that it entered it. A gateway that is away costs nothing but delay: the spool is the record until then.
 */
export class Shipper {
  #wake: () => void = () => {};
  #stopped = false;
  readonly #running: Promise<void>;
  readonly #options: { spool: Spool; address: string; host: string; log: Logger };

  constructor(options: { spool: Spool; address: string; host: string; log: Logger }) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** There is something new in the spool. */
  wake(): void {
    this.#wake();
  }

  /** Stops after what is under way; what was not shipped stays in the spool. */
  async close(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    let delay = RETRY_MS.first;
    while (!this.#stopped) {
      try {
        await this.#connected(() => {
          delay = RETRY_MS.first;
        });
      } catch (error) {
        this.#options.log.debug({ err: error }, "outbox: the gateway did not take records; trying again");
      }
      if (this.#stopped) return;
      await sleep(delay);
      delay = Math.min(delay * 2, RETRY_MS.last);
    }
  }

  async #connected(onProgress: () => void): Promise<void> {
    const { spool, address, host } = this.#options;
    const { channel, go } = await connectChannel(address, { kind: "outbox", host });
    try {
      if (!go.go) throw new Error(`the gateway refused the outbox: ${go.reason ?? "no reason given"}`);
      const acks = channel.frames[Symbol.asyncIterator]();
      while (!this.#stopped) {
        const batch = spool.pending(BATCH);
        if (batch.length === 0) {
          await this.#idle(channel);
          continue;
        }
        for (const { seq, record } of batch) await sendRecord(channel, { seq, record });
        for (let acknowledged = 0; acknowledged < batch.length; acknowledged += 1) {
          const next = await acks.next();
          if (next.done) throw new Error("the gateway closed the outbox");
          spool.acknowledge([Ack.parse(decodeJson(next.value)).seq]);
        }
        onProgress();
      }
    } finally {
      channel.close();
    }
  }

  /** Until there is something to ship, or the connection is gone. */
  async #idle(channel: FrameChannel): Promise<void> {
    const woken = new Promise<"woken">((resolve) => {
      this.#wake = () => resolve("woken");
    });
    if (this.#stopped || this.#options.spool.pending(1).length > 0) return;
    const which = await Promise.race([woken, channel.closed.then(() => "closed" as const)]);
    if (which === "closed") throw new Error("the gateway closed the outbox");
  }
}
