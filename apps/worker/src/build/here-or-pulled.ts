import type { Digest } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import { found } from "../images/names.ts";
import { type Moving, pull } from "../images/registries.ts";

/**
 * An image that is here by that name, else what its registry has by it (the operator's or Docker Hub, when it names none), for anybody.
 * @throws ImageError `missing` and its like
 */
export async function hereOrPulled(reference: string, platform: string | null, parts: Moving): Promise<Digest> {
  try {
    return await found(reference, parts);
  } catch (error) {
    if (!(error instanceof ImageError) || error.reason !== "missing") throw error;
  }
  const task = { verb: "pull", reference, platform, credential: null, insecure: false } as const;
  try {
    return (await pull(task, parts)).digest;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    // That its registry does not answer, or not to us, is no fault of this host.
    const reason = error.reason === "unavailable" || error.reason === "unauthorized" ? "missing" : error.reason;
    throw new ImageError(reason, `it is not here, and pulling it failed: ${error.message}`, error);
  }
}
