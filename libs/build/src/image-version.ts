import type { BuildFault, BuildResult, Digest } from "@mayfly/contract";
import { formatPlatform, HOST_PLATFORM, type Image, ImageError, type ImageStore } from "@mayfly/image";
import { MODULE_PATH } from "@mayfly/runtime";
import { type DetectInput, detectInBox } from "./detect-in-box.ts";
import { BuildStopped } from "./fault.ts";
import type { Meter } from "./meter.ts";
import type { Records } from "./records.ts";

export interface VersionInput extends DetectInput {
  readonly store: ImageStore;
  /** Manifest digest of mayfly/node. */
  readonly base: Digest;
}

/** What a version needs to know of an image: that it runs on this machine, can be unpacked, and has a handler. @throws BuildStopped */
export async function versionOf(
  digest: Digest,
  input: VersionInput,
  records: Records,
  meter: Meter,
): Promise<Extract<BuildResult["outcome"], { status: "done" }>> {
  const image = await theirs(() => checked(digest, input, records));
  const { contract, exports } = await handlerOf(digest, input, records, meter);
  const size_bytes = image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
  return { status: "done", image: digest, contract, size_bytes, exports };
}

async function checked(digest: Digest, { store, base }: VersionInput, records: Records): Promise<Image> {
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
async function handlerOf(digest: Digest, input: VersionInput, records: Records, meter: Meter) {
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
export async function theirs<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ImageError) || OURS.includes(error.reason)) throw error;
    throw new BuildStopped({ code: "build_failed", message: error.message });
  }
}
