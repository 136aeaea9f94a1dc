import { createHash } from "node:crypto";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, FRAME, formatBytes } from "@mayfly/contract";
import { NODE_PATH } from "@mayfly/runtime";
import { Conversation } from "../conversation.ts";
import { BOX_ENV, pairs } from "../environment.ts";
import { BuildStopped, readFault } from "../fault.ts";
import { send } from "../make-layer.ts";
import type { Meter } from "../meter.ts";
import type { BoxRequest, OpenBox } from "../session.ts";
import { FetchedHead, type RemoteSource } from "./protocol.ts";

const MiB = 1024 * 1024;
export const FETCHER_PATH = "/mayfly/fetcher.mjs";
/** A repository is unpacked in memory. */
const LIMITS = { memory_bytes: 2048 * MiB, cpu_millis: 2_000, pids: 64, tmp_bytes: 1536 * MiB } as const;
const TIMEOUT_MS = 10 * 60_000;

export interface Fetching {
  /** Manifest digest of mayfly/builder, which holds the program. */
  readonly image: Digest;
  readonly openBox: OpenBox;
  /** Folder for what comes. */
  readonly scratch: string;
  readonly meter: Meter;
  readonly signal: AbortSignal;
  readonly mostBytes: number;
  /** What the box has to say besides. */
  readonly onLog: BoxRequest["onLog"];
}

export interface Fetched {
  readonly head: FetchedHead;
  /** Null: whoever asked has it already. */
  readonly file: { readonly path: string; readonly size_bytes: number; readonly digest: Digest } | null;
  release(): Promise<void>;
}

/**
 * Brings something from outside into a file, in a box that has the network of boxes and nothing else.
 * @param isKnown whether what this is need not be brought @throws BuildStopped that says what was asked and what was answered
 */
export async function fetchRemote(
  source: RemoteSource,
  fetching: Fetching,
  isKnown: (head: FetchedHead) => Promise<boolean>,
  body: (() => Promise<AsyncIterable<Uint8Array>>) | null = null,
): Promise<Fetched> {
  const { image, openBox, scratch, meter, signal, onLog } = fetching;
  const env = pairs({ ...BOX_ENV, NODE_USE_ENV_PROXY: "1" });
  const args = [NODE_PATH, "--disable-warning=ExperimentalWarning", FETCHER_PATH];
  const outside = source.kind === "zip" ? {} : ({ network: "egress" } as const);
  const bounds = { limits: LIMITS, timeout_ms: TIMEOUT_MS };
  const request: BoxRequest = { image, start: "exec", args, env, ...bounds, ...outside, onLog };
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  const dir = await mkdtemp(join(scratch, "fetch-"));
  const release = () => rm(dir, { recursive: true, force: true });
  try {
    const session = await openBox(request);
    return await meter.over(session, LIMITS.memory_bytes, signal, async () => {
      const talk = new Conversation(session, { phase: "fetch", bounds: request, onRecord: () => {}, readFault });
      const sending = send(session, { init: source, bytes: await (body?.() ?? []) });
      const first = await Promise.race([talk.next(), sending.then(() => new Promise<never>(() => {}))]);
      const head = FetchedHead.safeParse(talk.json(first));
      if (first.type !== FRAME.HEAD || !head.success) throw talk.nonsense();
      if (await isKnown(head.data)) {
        session.stop("it is known");
        return { head: head.data, file: null, release };
      }
      return { head: head.data, file: await written(join(dir, "body"), talk, fetching.mostBytes), release };
    });
  } catch (error) {
    await release();
    throw error;
  }
}

async function written(path: string, talk: Conversation, mostBytes: number) {
  const hash = createHash("sha256");
  const file = await open(path, "wx", 0o600);
  let size_bytes = 0;
  try {
    for (let frame = await talk.next(); frame.type !== FRAME.END; frame = await talk.next()) {
      if (frame.type !== FRAME.DATA) throw talk.nonsense();
      size_bytes += frame.payload.byteLength;
      if (size_bytes > mostBytes) {
        const message = `what is fetched is larger than ${formatBytes(mostBytes)}`;
        throw new BuildStopped({ code: "body_too_large", message });
      }
      hash.update(frame.payload);
      await file.write(frame.payload);
    }
  } finally {
    await file.close();
  }
  return { path, size_bytes, digest: `sha256:${hash.digest("hex")}` as Digest };
}
