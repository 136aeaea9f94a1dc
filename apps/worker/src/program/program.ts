import type { InvokeJob } from "@mayfly/contract";
import type { FrameChannel } from "@mayfly/queue";
import type { Traffic } from "../invoke/exchange.ts";

/** One request and its answer. */
export interface Exchange {
  readonly job: InvokeJob;
  readonly gateway: FrameChannel;
  readonly traffic: Traffic;
  /** Server-Timing so far. */
  readonly timing: () => string;
}

/**
 * What runs in a box, by its contract: how it is brought to where it takes its request, and how the request reaches it. Whatever fails
 * ends with the box or stands in `traffic.boxError`; nothing is thrown for what user code does.
 */
export interface Program {
  /** Whether what it writes to standard output is the answer, and not its log. */
  readonly takesOutput: boolean;
  /**
   * Brings it to where it takes a request. `onMade`: its runtime is up, what follows is the user's own start.
   * False: it cannot; its box ends, or says why.
   */
  initialise(traffic: Traffic, onMade: () => void): Promise<boolean>;
  /** Passes both bodies as they come. */
  answer(exchange: Exchange): Promise<void>;
  /** Lets go of its connections. */
  close(): void;
}
