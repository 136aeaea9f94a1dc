import type { Digest } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import type { WorkerDeps } from "../deps.ts";
import { found } from "../images/names.ts";
import { pull } from "../images/registries.ts";

/** Names below it are of images that are made here: no registry is asked for them. */
const OURS = "mayfly/";

export interface BaseImageParts extends Pick<WorkerDeps, "store" | "importer" | "courier"> {
  readonly signal: AbortSignal;
}

/**
 * The image that a FROM names: one that is here, else what its registry has by that name (Docker Hub's, when it names none), for anybody.
 * @throws Error that says why there is none
 */
export async function baseImage(reference: string, platform: string | null, parts: BaseImageParts): Promise<Digest> {
  const { store } = parts;
  try {
    return await found(reference, store);
  } catch (error) {
    if (!(error instanceof ImageError) || error.reason !== "missing") throw error;
    if (reference.startsWith(OURS)) throw error;
  }
  const task = { verb: "pull", reference, platform, credential: null, insecure: false } as const;
  try {
    return (await pull(task, { ...parts, onProgress: () => {} })).digest;
  } catch (error) {
    throw new Error(`it is not here, and pulling it failed: ${(error as Error).message}`, { cause: error });
  }
}
