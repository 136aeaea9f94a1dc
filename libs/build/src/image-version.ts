import { type BuildFault, type BuildJob, type BuildResult, type Digest, isModule } from "@mayfly/contract";
import { formatPlatform, HOST_PLATFORM, type Image, ImageError, type ImageStore } from "@mayfly/image";
import { MODULE_PATH } from "@mayfly/runtime";
import { type DetectInput, detectInBox } from "./detect-in-box.ts";
import { detectServer } from "./detect-server.ts";
import { BuildStopped } from "./fault.ts";
import type { Meter } from "./meter.ts";
import type { Records } from "./records.ts";
import type { BoxRequest, OpenBox, TryServer } from "./session.ts";

export interface VersionInput extends Omit<DetectInput, "job"> {
  readonly job: Pick<BuildJob, "function" | "settings" | "options">;
  readonly store: ImageStore;
  /** Manifest digest of mayfly/node. */
  readonly base: Digest;
  readonly tryServer: TryServer;
}

/**
 * What a version needs to know of an image: that it runs on this machine, can be unpacked, and has a handler. An image that becomes none
 * may be anything. @throws BuildStopped
 */
export async function outcomeOf(
  digest: Digest,
  input: VersionInput,
  records: Records,
  meter: Meter,
): Promise<Exclude<BuildResult["outcome"], { status: "error" }>> {
  const { job, store } = input;
  const { layers } = (await store.image(digest)).manifest;
  const size_bytes = layers.reduce((sum, layer) => sum + layer.size, 0);
  if (job.function === null) return { status: "image", image: digest, size_bytes, tags: job.options.tags };
  const versioned = { ...input, job: { ...job, function: job.function } };
  const image = await theirs(() => checked(digest, input, records));
  const { contract, exports } = await contractOf(image, digest, versioned, records, meter);
  return { status: "done", image: digest, contract, size_bytes, exports };
}

async function checked(digest: Digest, { store }: VersionInput, records: Records): Promise<Image> {
  records.start("check");
  const image = await store.image(digest);
  const { os, architecture, rootfs } = image.config;
  const host = HOST_PLATFORM;
  if (os !== host.os || architecture !== host.architecture) {
    const [its, ours] = [formatPlatform({ os, architecture }), formatPlatform(host)];
    throw new BuildStopped({ code: "build_failed", message: `the image is for ${its}; this machine is ${ours}` });
  }
  await store.rootfs(digest);
  records.done("check", `${rootfs.diff_ids.length} layers`);
  return image;
}

const NOTHING_TO_RUN: BuildFault = {
  code: "handler_not_found",
  message: "the image has no ENTRYPOINT and no CMD, so nothing in it is known to answer requests",
  hint: "give it a CMD that serves HTTP on $PORT (8080); or FROM mayfly/node:24, with a module at /app/index.mjs",
};

/** What was asked for; else a module of ours where the runtime is ours and there is one; else a server. */
async function contractOf(
  image: Image,
  digest: Digest,
  input: VersionInput & DetectInput,
  records: Records,
  meter: Meter,
) {
  const wanted = input.job.settings.contract;
  const { Entrypoint, Cmd } = image.config.config;
  const program = [...(Entrypoint ?? []), ...(Cmd ?? [])];
  const base = (await input.store.image(input.base)).config;
  const isOurs = base.rootfs.diff_ids.every((diffId, at) => image.config.rootfs.diff_ids[at] === diffId);
  // What the base has for a CMD serves nothing.
  const runs = program.length > 0 && !(isOurs && program.join("\0") === (base.config.Cmd ?? []).join("\0"));
  if (wanted === "fetch" && !isOurs) throw new BuildStopped(NOT_OURS);
  if (isOurs && (wanted === null || isModule(wanted))) {
    const said: Parameters<BoxRequest["onLog"]>[] = [];
    // An image with a program of its own needs no module: that there is none is not told as a failure.
    const held: OpenBox = (request) => input.openBox({ ...request, onLog: (...line) => said.push(line) });
    try {
      return await detectInBox({ image: digest }, { ...input, openBox: runs ? held : input.openBox }, records, meter);
    } catch (error) {
      if (!(error instanceof BuildStopped) || !error.message.includes(`Cannot find module '${MODULE_PATH}'`))
        throw error;
      if (wanted === "fetch" || !runs) throw new BuildStopped(NO_MODULE);
      said.length = 0;
    } finally {
      for (const [stream, text] of said) records.log("detect", text, stream);
    }
  }
  if (!runs) throw new BuildStopped(NOTHING_TO_RUN);
  // A program that is started for a request is not tried without one.
  if (wanted === "cgi") return { contract: wanted, exports: [] };
  return detectServer(digest, SERVERS[wanted ?? "any"], input, records, meter);
}

const SERVERS = { any: ["http", "runtime-api"], http: ["http"], lambda: ["runtime-api"], fetch: [] } as const;

const NOT_OURS: BuildFault = {
  code: "handler_not_found",
  message: "contract=fetch needs an image that goes on from mayfly/node:24",
  hint: "FROM mayfly/node:24, with a module at /app/index.mjs; or leave contract out, and serve HTTP on $PORT",
};
/** An image without a module is no module that fails. */
const NO_MODULE: BuildFault = {
  code: "handler_not_found",
  message: `the image has no module ${MODULE_PATH}`,
  hint: "put a bundle there that exports default { fetch(request) { … } }, or give it a CMD that serves HTTP on $PORT (8080)",
};

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
