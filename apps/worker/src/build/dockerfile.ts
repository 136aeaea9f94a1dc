import type { Readable } from "node:stream";
import { tarHoldsDockerfile } from "@mayfly/build";
import type { Settings, SourceKind } from "@mayfly/contract";

type Open = () => Promise<Readable>;

/** A source that is read when somebody asks for its first bytes, and closed when they have enough. */
export async function* reading(open: Open): AsyncGenerator<Uint8Array> {
  yield* await open();
}

/** Whether an archive is the context of a Dockerfile, which is at its root, in the folder that is built, or where the settings say, and no code to bundle. */
export async function isContext(kind: SourceKind, { dockerfile, dir }: Settings, open: Open): Promise<boolean> {
  if (kind !== "tar" && kind !== "tar.gz") return false;
  return dockerfile !== null || tarHoldsDockerfile(reading(open), dir);
}
