import type { BuildFault, Digest, Ending } from "@mayfly/contract";
import type { ImageStore, Layer } from "@mayfly/image";
import { FUNCTION_USER, NODE_PATH } from "@mayfly/runtime";
import { runKey } from "./dockerfile/execute/key.ts";
import type { BuildCache, RunProgram } from "./dockerfile/execute/ports.ts";
import { remembered } from "./dockerfile/execute/step.ts";
import { BOX_ENV, pairs } from "./environment.ts";
import { BuildStopped } from "./fault.ts";
import { SOURCE_FOLDER, WORK_FOLDER } from "./protocol.ts";
import type { BuilderResult } from "./protocol-schemas.ts";
import type { Records } from "./records.ts";

export const INSTALLER_PATH = "/mayfly/installer.mjs";
const STEP = "install";
const TAIL_LINES = 20;

export interface Installation {
  /** Manifest digest of mayfly/builder. */
  readonly builder: Digest;
  /** The files that say what is to be installed, in their places. */
  readonly manifests: Layer;
  readonly request: NonNullable<BuilderResult["install"]>;
  readonly scripts: boolean;
  readonly store: ImageStore;
  readonly run: RunProgram;
  readonly cache: BuildCache;
  readonly signal: AbortSignal;
}

/**
 * Installs a project's dependencies in a box of its own, or finds what was installed before by the same lockfile.
 * @returns the image to bundle in: builder, manifests, node_modules @throws BuildStopped with npm's own words
 */
export async function install(installation: Installation, records: Records): Promise<Digest> {
  const { builder, manifests, request, scripts, store, run, cache, signal } = installation;
  const { lockfile, foreign_lockfile } = request;
  const command = lockfile === null ? "install" : "ci";
  records.start(STEP, `npm ${command}`);
  if (lockfile === null) {
    const other = foreign_lockfile === null ? "" : `; npm does not install by ${foreign_lockfile}`;
    records.log(
      STEP,
      `warning: there is no package-lock.json${other}: versions are chosen now, and installed each time`,
    );
  }
  const image = await imageOf(store, builder, [manifests]);
  const program = {
    args: [NODE_PATH, "--disable-warning=ExperimentalWarning", INSTALLER_PATH, command, scripts ? "on" : "off"],
    env: pairs({ ...BOX_ENV, HOME: WORK_FOLDER }),
    cwd: request.root === "" ? SOURCE_FOLDER : `${SOURCE_FOLDER}/${request.root}`,
    user: FUNCTION_USER,
    network: "default",
    script: null,
  } as const;
  const below = (await store.image(image)).manifest.layers.map(({ digest }) => digest);
  const key = runKey(below, program, []);
  // Without a lockfile nothing says that what was installed once is what would be installed now.
  const parts = { store, cache, noCache: lockfile === null, now: new Date(0) };
  const { layer, cached } = await remembered(key, parts, async () => {
    const tail = new Tail();
    const onOutput = (stream: "stdout" | "stderr", text: string) => {
      tail.add(text);
      records.log(STEP, text, stream);
    };
    const result = await run({ ...program, rootfs: await store.rootfs(image), mounts: [], onOutput }, signal);
    try {
      signal.throwIfAborted();
      const { ending } = result;
      if (ending.kind !== "exit" || ending.code !== 0) throw new BuildStopped(failed(command, ending, tail));
      const layer = await store.diff(image, result.writable, { compression: "gzip" });
      return layer ?? (await store.addLayer([], { compression: "gzip" }));
    } finally {
      await result.release();
    }
  });
  records.done(STEP, cached ? "CACHED" : undefined);
  return imageOf(store, builder, [manifests, layer]);
}

const imageOf = (store: ImageStore, base: Digest, layers: readonly Layer[]): Promise<Digest> =>
  store.createImage({ base, layers, config: {}, history: layers.map(() => ({})), created: new Date(0) });

/** The last lines of what was said, as they came. */
class Tail {
  #text = "";

  add(text: string): void {
    this.#text = (this.#text + text).slice(-16_000);
  }

  get lines(): string[] {
    return this.#text.split("\n").filter((line) => line.trim() !== "");
  }
}

function failed(command: string, ending: Ending, tail: Tail): BuildFault {
  const errors = tail.lines.flatMap((line) => /^npm (?:error|ERR!) (.*)/.exec(line)?.[1] ?? []);
  const why = errors.find((line) => !line.startsWith("code ")) ?? tail.lines.at(-1) ?? "it said nothing";
  const message = `npm ${command} ${howItEnded(ending)}: ${why}`;
  return { code: "build_failed", message, hint: tail.lines.slice(-TAIL_LINES).join("\n") };
}

function howItEnded(ending: Ending): string {
  switch (ending.kind) {
    case "exit":
      return `failed with exit code ${ending.code}`;
    case "signal":
      return `ended by signal ${ending.signal}`;
    case "timeout":
      return "took too long";
    case "out_of_memory":
      return "needed more memory than it has";
    case "killed":
      return `was stopped, ${ending.reason}`;
    case "refused":
      return `had no box, ${ending.step}: ${ending.errno} (${ending.message})`;
  }
}
