import { type BuildFault, type BuildJob, type BuildRecord, type Digest, formatBytes } from "@mayfly/contract";
import {
  type BlobProgress,
  formatPlatform,
  HOST_PLATFORM,
  type Image,
  ImageError,
  type ImageStore,
} from "@mayfly/image";
import { MODULE_PATH } from "@mayfly/runtime";
import type { BuiltCode } from "./build-code.ts";
import { detectInBox } from "./detect-in-box.ts";
import { BuildStopped, CANCELLED } from "./fault.ts";
import { Meter } from "./meter.ts";
import { Records } from "./records.ts";
import type { OpenBox } from "./session.ts";

export interface BuildImageInput {
  readonly job: Pick<BuildJob, "function" | "settings">;
  /** Fetches the image into the store, every digest checked. @returns its manifest */
  readonly fetch: (onProgress: (progress: BlobProgress) => void) => Promise<Digest>;
  readonly store: ImageStore;
  /** Manifest digest of mayfly/node. */
  readonly base: Digest;
  readonly openBox: OpenBox;
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
    const image = await theirs(() => checked(digest, input, records));
    const { contract, exports } = await handlerOf(digest, input, records, meter);
    const size_bytes = image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    return { outcome: { status: "done", image: digest, contract, size_bytes, exports }, usage: meter.usage };
  } catch (error) {
    if (!(error instanceof BuildStopped) && !input.signal.aborted) throw error;
    const fault = error instanceof BuildStopped && !input.signal.aborted ? error.fault : CANCELLED;
    records.error("build", fault);
    return { outcome: { status: "error", error: fault }, usage: meter.usage };
  }
}

async function fetched({ fetch }: BuildImageInput, records: Records): Promise<Digest> {
  records.start("fetch");
  const moved = { blobs: 0, bytes: 0 };
  const digest = await fetch(({ state, digest: blob, size_bytes, reason }) => {
    if (state === "again") records.log("fetch", `${blob}: trying again: ${reason}`);
    if (state !== "done") return;
    moved.blobs += 1;
    moved.bytes += size_bytes;
    records.log("fetch", `${blob} ${formatBytes(size_bytes)}`);
  });
  records.done("fetch", `${moved.blobs} blobs, ${formatBytes(moved.bytes)}`);
  return digest;
}

async function checked(digest: Digest, { store, base }: BuildImageInput, records: Records): Promise<Image> {
  records.start("check");
  const image = await store.image(digest);
  const { os, architecture, rootfs } = image.config;
  const host = HOST_PLATFORM;
  if (os !== host.os || architecture !== host.architecture) {
    const [its, ours] = [formatPlatform({ os, architecture }), formatPlatform(host)];
    throw new BuildStopped({ code: "build_failed", message: `the image is for ${its}; this machine is ${ours}` });
  }
  const under = (await store.image(base)).config.rootfs.diff_ids;
  if (!under.every((diffId, at) => rootfs.diff_ids[at] === diffId)) throw new BuildStopped(NO_CONTRACT);
  await store.rootfs(digest);
  records.done("check", `${rootfs.diff_ids.length} layers, ${under.length} of them mayfly/node:24`);
  return image;
}

const NO_CONTRACT: BuildFault = {
  code: "handler_not_found",
  message: "the image does not go on from mayfly/node:24, so nothing in it is known to answer requests",
  hint: "contracts for other images (http, lambda, cgi) come with Dockerfile builds; for now: FROM mayfly/node:24, with a module at /app/index.mjs",
};

/** An image without a module is no module that fails. */
async function handlerOf(digest: Digest, input: BuildImageInput, records: Records, meter: Meter) {
  try {
    return await detectInBox(digest, input, records, meter);
  } catch (error) {
    if (!(error instanceof BuildStopped) || !error.message.includes(`Cannot find module '${MODULE_PATH}'`)) throw error;
    throw new BuildStopped({
      code: "handler_not_found",
      message: `the image has no module ${MODULE_PATH}`,
      hint: "put a bundle there that exports default { fetch(request) { … } }, or a function as default, or GET, POST, …",
    });
  }
}

/** Faults of ours: whoever deploys the image cannot mend them. */
const OURS: readonly string[] = ["no_space", "io", "unavailable", "unauthorized"];

/** What is wrong with an image is told to who deployed it. */
async function theirs<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageError) || OURS.includes(error.reason)) throw error;
    throw new BuildStopped({ code: "build_failed", message: error.message });
  }
}
