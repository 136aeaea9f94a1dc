import type { Readable } from "node:stream";
import { tarHoldsDockerfile } from "@mayfly/build";
import type { Digest, Settings, SourceKind } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";

type Open = () => Promise<Readable>;

/** A source that is read when somebody asks for its first bytes, and closed when they have enough. */
export async function* reading(open: Open): AsyncGenerator<Uint8Array> {
  yield* await open();
}

/** Whether an archive is the context of a Dockerfile, which is at its root or where the settings say, and no code to bundle. */
export async function isContext(kind: SourceKind, { dockerfile }: Settings, open: Open): Promise<boolean> {
  if (kind !== "tar" && kind !== "tar.gz") return false;
  return dockerfile !== null || tarHoldsDockerfile(reading(open));
}

/** Bases are images that are here. @throws Error */
export async function localImage(reference: string, store: ImageStore): Promise<Digest> {
  const digest = await store.resolve(reference);
  if (digest) return digest;
  throw new Error("not found; mayfly image pull brings an image here, mayfly image ls shows those that are");
}
