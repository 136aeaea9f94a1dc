import { text } from "node:stream/consumers";
import { type BringInput, type Brought, bringReferenced, bringZip } from "@mayfly/build";
import { type BuildJob, type CodeSource, type Settings, SourceReference } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { openSource } from "./open-source.ts";

export type BuildSource = Omit<Brought, "usage"> & {
  /** What bringing it here has used; null: it was here. */
  readonly usage: Brought["usage"] | null;
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
export function together<U extends Brought["usage"] | null>(first: U, second: U): U {
  if (first === null || second === null) return first ?? second;
  const both = (a: number | null, b: number | null, of: (a: number, b: number) => number) =>
    a === null || b === null ? null : of(a, b);
  return {
    cpu_us: both(first.cpu_us, second.cpu_us, (a, b) => a + b),
    memory_peak_bytes: both(first.memory_peak_bytes, second.memory_peak_bytes, Math.max),
    wall_us: first.wall_us + second.wall_us,
  } as U;
}
