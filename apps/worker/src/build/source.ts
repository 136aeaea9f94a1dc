import { text } from "node:stream/consumers";
import { type BringInput, type Brought, bringReferenced, bringZip } from "@mayfly/build";
import { type BuildJob, type BuildUsage, type CodeSource, type Settings, SourceReference } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { openSource } from "./open-source.ts";

export type BuildSource = Omit<Brought, "usage"> & {
  /** What bringing it here has used; null: it was here. */
  readonly usage: BuildUsage | null;
  /** The job's, with what a reference says besides. */
  readonly settings: Settings;
};

/** The source of a build, wherever it is: uploaded, or to be fetched by what was uploaded. @throws BuildStopped */
export async function sourceOf(
  job: Pick<BuildJob, "build" | "settings"> & { readonly source: CodeSource },
  deps: Pick<WorkerDeps, "uploads">,
  input: BringInput,
): Promise<BuildSource> {
  const { source, settings } = job;
  const { kind, file_name } = source;
  const upload = () => openSource(deps.uploads, { build: job.build, source });
  if (kind === "reference") {
    const reference = SourceReference.parse(JSON.parse(await text(await upload())));
    const fetched = await bringReferenced(reference, input);
    const own = { dir: reference.dir ?? settings.dir, dockerfile: reference.dockerfile ?? settings.dockerfile };
    const source = { ...fetched, settings: { ...settings, ...own } };
    return fetched.kind === "zip" ? unzipped(source, input) : source;
  }
  const here = { file_name, open: upload, usage: null, settings, release: async () => {} };
  return kind === "zip" ? unzipped({ ...here, kind }, input) : { ...here, kind };
}

/** Everything that follows reads tars. */
async function unzipped(source: BuildSource, input: BringInput): Promise<BuildSource> {
  try {
    const tar = await bringZip(source.open, input);
    return { ...tar, settings: source.settings, usage: together(source.usage, tar.usage) };
  } finally {
    await source.release();
  }
}

/** What boxes used that ran one after the other. */
export function together(first: BuildUsage | null, second: BuildUsage | null): BuildUsage | null {
  if (first === null || second === null) return first ?? second;
  const both = (
    name: "cpu_us" | "memory_peak_bytes" | "net_rx_bytes" | "net_tx_bytes",
    of: (a: number, b: number) => number,
  ) => {
    const [a, b] = [first[name], second[name]];
    return a === null || b === null ? null : of(a, b);
  };
  const sum = (a: number, b: number) => a + b;
  return {
    cpu_us: both("cpu_us", sum),
    memory_peak_bytes: both("memory_peak_bytes", Math.max),
    memory_limit_bytes: Math.max(first.memory_limit_bytes, second.memory_limit_bytes),
    wall_us: first.wall_us + second.wall_us,
    disk_bytes: first.disk_bytes + second.disk_bytes,
    net_rx_bytes: both("net_rx_bytes", sum),
    net_tx_bytes: both("net_tx_bytes", sum),
  };
}
