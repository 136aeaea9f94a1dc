import type {
  CgroupUsage,
  Digest,
  Ending,
  Frame,
  FunctionName,
  NetworkUsage,
  RootFs,
  Settings,
} from "@mayfly/contract";

/** A running box as a builder sees it: frames in, frames out, an end. */
export interface BoxSession {
  /** Sends bytes that are frames. Resolves when there is room again; rejects when the box has closed its side. */
  send(frame: Uint8Array): Promise<void>;
  /** Done when the box has closed its side, or has said what is no frame; it never throws. */
  readonly frames: AsyncIterable<Frame>;
  /** Kills the box; after its end this does nothing. */
  stop(reason: string): void;
  readonly ended: Promise<{ readonly ending: Ending; readonly usage: BoxUsage; readonly wall_us: number }>;
}

/** What a box used, by the kernel's counters. */
export type BoxUsage = CgroupUsage & NetworkUsage;

export interface BoxRequest {
  /** Which is in use until its end. */
  readonly image: Digest;
  /** Not given: the image's. */
  readonly rootfs?: RootFs;
  /**
   * How its program may come to be there.
   * - `exec`: it is started for this request, and counted from its first instruction.
   * - `boot`: it is our runtime, whose start is not counted, as with a call. `fork`: the same, and a nursery's fork of it is as good.
   * - `ahead`: it learns what is wanted by frames alone and says a first one when it is up, so that a box that was started before is as
   *   good. It is counted from when it is lent.
   */
  readonly start: "exec" | "boot" | "fork" | "ahead";
  readonly args: string[];
  readonly env: string[];
  /** Not given: /tmp. */
  readonly cwd?: string;
  readonly limits: {
    readonly memory_bytes: number;
    readonly cpu_millis: number;
    readonly pids: number;
    readonly tmp_bytes: number;
  };
  readonly timeout_ms: number;
  /** Not given: it has none. */
  readonly network?: "egress";
  readonly onLog: (stream: "stdout" | "stderr", text: string) => void;
}

/** How an image's program may take its request: it listens on $PORT, or it asks the Lambda Runtime API. */
export type ServerContract = "http" | "runtime-api";

/** How libs/build gets boxes: the worker lends them. */
export type OpenBox = (request: BoxRequest) => Promise<BoxSession>;

/** Starts an image's program as a call would, and waits until it takes a request, ends, or nobody waits any longer. */
export type TryServer = (
  request: {
    readonly image: Digest;
    readonly function: FunctionName;
    readonly settings: Settings;
    /** The ways in which it may. */
    readonly contracts: readonly ServerContract[];
    readonly onLog: (stream: "stdout" | "stderr", text: string) => void;
  },
  signal: AbortSignal,
) => Promise<{
  /** Which way it took, and how long until it did; null: none. */
  readonly found: { readonly contract: ServerContract; readonly after_us: number } | null;
  /** What it said of its failure; null: nothing. */
  readonly failure: string | null;
  /** How it ended by itself; null: it ran and was silent for `waited_ms`. */
  readonly ending: Ending | null;
  readonly waited_ms: number;
  readonly usage: BoxUsage;
  readonly wall_us: number;
}>;
