import type { Readable } from "node:stream";
import { tarHoldsDockerfile } from "@mayfly/build";
import type { Digest, SourceKind } from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";

type Open = () => Promise<Readable>;

/** A source that is read when somebody asks for its first bytes, and closed when they have enough. */
export async function* reading(open: Open): AsyncGenerator<Uint8Array> {
  yield* await open();
}

/** Whether an archive is the context of a Dockerfile at its root, and no code to bundle. */
export async function holdsDockerfile(kind: SourceKind, open: Open): Promise<boolean> {
  return (kind === "tar" || kind === "tar.gz") && (await tarHoldsDockerfile(reading(open)));
}

/** Bases are images that are here. @throws Error */
export async function localImage(reference: string, store: ImageStore): Promise<Digest> {
  const digest = await store.resolve(reference);
  if (digest) return digest;
  throw new Error("not found; mayfly image pull brings an image here, mayfly image ls shows those that are");
}
