import { type BuildFault, decodeJson, FRAME, type Frame } from "@mayfly/contract";
import { type Bounds, BuildStopped, endedEarly, type Phase } from "./fault.ts";
import type { BoxSession } from "./session.ts";

/** A box that has closed its channel has this long to end by itself. */
const ENDS_WITHIN_MS = 1_000;
/** No build says more than this: a box that does is talking to keep us busy. */
const MOST_RECORDS = 10_000;

export interface Listener {
  readonly phase: Phase;
  readonly bounds: Bounds;
  /** What a RECORD holds, not checked. */
  onRecord(value: unknown): void;
  /** Reads what an ERROR frame holds; null when that is no failure of this phase. */
  readFault(value: unknown): BuildFault | null;
}

/**
 * The worker's side of what is said with a box. Nothing that comes out of a box is believed: a frame that is not what it should be
 * ends the build as a failure, and never as an error of ours.
 */
export class Conversation {
  readonly #frames: AsyncIterator<Frame>;
  readonly #session: BoxSession;
  readonly #listener: Listener;
  #records = 0;
  #stopped = false;

  constructor(session: BoxSession, listener: Listener) {
    this.#session = session;
    this.#frames = session.frames[Symbol.asyncIterator]();
    this.#listener = listener;
  }

  /** The next frame that is no RECORD. @throws BuildStopped when the box failed, ended or talked nonsense */
  async next(): Promise<Frame> {
    for (;;) {
      const { value: frame, done } = await this.#frames.next();
      if (done) throw new BuildStopped(await this.#early());
      if (frame.type === FRAME.ERROR) throw new BuildStopped(await this.#failure(frame));
      if (frame.type !== FRAME.RECORD) return frame;
      this.#records += 1;
      if (this.#records > MOST_RECORDS) throw this.nonsense();
      this.#listener.onRecord(this.json(frame));
    }
  }

  /** @throws BuildStopped */
  json(frame: Frame): unknown {
    try {
      return decodeJson(frame);
    } catch {
      throw this.nonsense();
    }
  }

  nonsense(): BuildStopped {
    return this.#listener.phase !== "detect"
      ? new BuildStopped({ code: "internal", message: "the builder box spoke out of turn" })
      : new BuildStopped({
          code: "build_failed",
          message: "the module wrote to descriptor 3 while it was loaded",
          hint: "descriptor 3 carries the request and the answer; leave it alone",
        });
  }

  /** What the kernel says goes before what the box says: a killed child looks like a broken pipe from inside. */
  async #failure(frame: Frame): Promise<BuildFault> {
    const { phase, bounds, readFault } = this.#listener;
    const fault = readFault(this.json(frame)) ?? this.nonsense().fault;
    const ending = await this.#ending();
    return ending.kind === "out_of_memory" ? endedEarly(ending, phase, bounds) : fault;
  }

  async #early(): Promise<BuildFault> {
    const ending = await this.#ending();
    // It closed its channel, or said what is no frame, and lived on.
    const silent = this.#stopped && ending.kind === "killed";
    return silent ? this.nonsense().fault : endedEarly(ending, this.#listener.phase, this.#listener.bounds);
  }

  async #ending() {
    const late = setTimeout(() => {
      this.#stopped = true;
      this.#session.stop("it closed its channel and did not end");
    }, ENDS_WITHIN_MS);
    try {
      return (await this.#session.ended).ending;
    } finally {
      clearTimeout(late);
    }
  }
}
