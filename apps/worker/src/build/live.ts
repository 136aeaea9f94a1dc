import { type BuildJob, type BuildRecord, BuildSecrets, decodeJson, FRAME } from "@mayfly/contract";
import { connectChannel, type FrameChannel } from "@mayfly/queue";
import type { WorkerDeps } from "../deps.ts";

export type Secrets = ReadonlyMap<string, Uint8Array>;

/** A build as the gateway has it: its log goes there; from there come its secrets, and the word that nobody wants it any more. */
export class LiveBuild {
  readonly secrets: Secrets;
  readonly #channel: FrameChannel | null;
  readonly #canceled = new AbortController();

  private constructor(channel: FrameChannel | null, secrets: Secrets) {
    this.#channel = channel;
    this.secrets = secrets;
    if (channel) void this.#listen(channel);
  }

  /** Null: the build is not wanted any more. A gateway that is away gets the result by the outbox when it is back. */
  static async open(job: BuildJob, { host }: Pick<WorkerDeps, "host">): Promise<LiveBuild | null> {
    const hello = { kind: "build", build: job.build, host } as const;
    const opened = await connectChannel(job.channel, hello).catch(() => null);
    if (opened === null) return new LiveBuild(null, new Map());
    const { channel, go } = opened;
    if (go.go) return new LiveBuild(channel, job.options.secrets.length > 0 ? await received(channel) : new Map());
    channel.close();
    return null;
  }

  get canceled(): AbortSignal {
    return this.#canceled.signal;
  }

  tell(record: BuildRecord): void {
    this.#channel?.sendJson(FRAME.RECORD, record).catch(() => {
      // Nobody follows the log any more; the tail travels with the result.
    });
  }

  close(): void {
    this.#channel?.close();
  }

  /** A gateway that breaks off says nothing about the build; one that says GO again takes it back. */
  async #listen(channel: FrameChannel): Promise<void> {
    for await (const { type } of channel.frames) if (type === FRAME.GO) this.#canceled.abort();
  }
}

async function received(channel: FrameChannel): Promise<Secrets> {
  for await (const frame of channel.frames) {
    const values = Object.entries(BuildSecrets.parse(decodeJson(frame)));
    return new Map(values.map(([id, value]) => [id, Buffer.from(value, "base64")]));
  }
  return new Map();
}
