import {
  type BuildFault,
  type CgroupUsage,
  type Digest,
  decodeJson,
  type Ending,
  FRAME,
  type Frame,
} from "@mayfly/contract";

/** A running box as a builder sees it: frames in, frames out, an end. */
export interface BoxSession {
  /** Sends bytes that are frames. Resolves when there is room again. */
  send(frame: Uint8Array): Promise<void>;
  readonly frames: AsyncIterable<Frame>;
  stop(reason: string): void;
  readonly ended: Promise<{ readonly ending: Ending; readonly usage: CgroupUsage; readonly wall_us: number }>;
}

export interface BoxRequest {
  readonly image: Digest;
  readonly args: string[];
  readonly env: string[];
  readonly limits: {
    readonly memory_bytes: number;
    readonly cpu_millis: number;
    readonly pids: number;
    readonly tmp_bytes: number;
  };
  readonly timeout_ms: number;
  readonly onLog: (stream: "stdout" | "stderr", text: string) => void;
}

/** How libs/build gets boxes: the worker lends them. */
export type OpenBox = (request: BoxRequest) => Promise<BoxSession>;

/** What stops a build, meant for who deployed. */
export class BuildStopped extends Error {
  override name = "BuildStopped";
  readonly fault: BuildFault;
  constructor(fault: BuildFault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Waits for frames of one kind after another; an ERROR, or an end, is a BuildStopped. */
export class Conversation {
  readonly #frames: AsyncIterator<Frame>;
  readonly #session: BoxSession;
  readonly #onRecord: (value: unknown) => void;

  constructor(session: BoxSession, onRecord: (value: unknown) => void) {
    this.#session = session;
    this.#frames = session.frames[Symbol.asyncIterator]();
    this.#onRecord = onRecord;
  }

  /** The next frame that is no RECORD. @throws BuildStopped */
  async next(): Promise<Frame> {
    for (;;) {
      const { value: frame, done } = await this.#frames.next();
      if (done) throw new BuildStopped(await this.#endedEarly());
      if (frame.type === FRAME.ERROR) throw new BuildStopped(decodeJson(frame) as BuildFault);
      if (frame.type !== FRAME.RECORD) return frame;
      this.#onRecord(decodeJson(frame));
    }
  }

  async #endedEarly(): Promise<BuildFault> {
    const { ending } = await this.#session.ended;
    switch (ending.kind) {
      case "timeout":
        return {
          code: "build_failed",
          message: "the build took longer than it may",
          hint: "make the source smaller; is there a loop while the module is loaded?",
        };
      case "out_of_memory":
        return { code: "build_failed", message: "the build needed more memory than it may" };
      case "killed":
        return { code: "build_failed", message: `the build was stopped: ${ending.reason}` };
      case "refused":
        return { code: "internal", message: `no box could be made for the build: ${ending.step}: ${ending.errno}` };
      default:
        return {
          code: "build_failed",
          message: `the module ended the process while it was loaded (${ending.kind === "exit" ? `code ${ending.code}` : `signal ${ending.signal}`})`,
        };
    }
  }
}
