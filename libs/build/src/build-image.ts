import type { BuildJob, BuildRecord, Digest } from "@mayfly/contract";
import type { BlobProgress, ImageStore } from "@mayfly/image";
import { BlobLog } from "./blob-log.ts";
import type { BuiltCode } from "./build-code.ts";
import { BuildStopped, stoppedBy } from "./fault.ts";
import { outcomeOf, theirs } from "./image-version.ts";
import { Meter } from "./meter.ts";
import { Records } from "./records.ts";
import type { OpenBox, TryServer } from "./session.ts";

export interface BuildImageInput {
  readonly job: Pick<BuildJob, "function" | "settings" | "options">;
  /** Fetches the image into the store, every digest checked. @returns its manifest */
  readonly fetch: (onProgress: (progress: BlobProgress) => void) => Promise<Digest>;
  readonly store: ImageStore;
  /** Manifest digest of mayfly/node. */
  readonly base: Digest;
  readonly openBox: OpenBox;
  readonly tryServer: TryServer;
  readonly onRecord: (record: BuildRecord) => void;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/**
 * A finished image → what a version needs to know of it: that it is here, for this machine, can be unpacked, and has a handler.
 * Whatever is wrong with it is an outcome, not a throw. @throws when the store fails, its source is away or no box can be had
 */
export async function buildImage(input: BuildImageInput): Promise<BuiltCode> {
  const records = new Records(input.onRecord, input.now);
  const meter = new Meter();
  try {
    const digest = await theirs(() => fetched(input, records));
    return { outcome: await outcomeOf(digest, input, records, meter), usage: await meter.total() };
  } catch (error) {
    if (!(error instanceof BuildStopped) && !input.signal.aborted) throw error;
    const fault = error instanceof BuildStopped && !input.signal.aborted ? error.fault : stoppedBy(input.signal);
    records.error("build", fault);
    return { outcome: { status: "error", error: fault }, usage: await meter.total() };
  }
}

async function fetched({ fetch }: BuildImageInput, records: Records): Promise<Digest> {
  records.start("fetch");
  const log = new BlobLog("fetch", records);
  const digest = await fetch((progress) => log.take(progress));
  log.done();
  return digest;
}
