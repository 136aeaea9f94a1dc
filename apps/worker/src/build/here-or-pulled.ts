import type { Digest } from "@mayfly/contract";
import { formatPlatform, ImageError, type ImageStore, isFor, parsePlatform } from "@mayfly/image";
import { found } from "../images/names.ts";
import { asDocker, placesOf } from "../images/places.ts";
import { type Moving, pull } from "../images/registries.ts";

export interface Wanted {
  readonly reference: string;
  /** `os/arch[/variant]`; null: whatever is here by the name, else this machine's. */
  readonly platform: string | null;
  /** Its registry is asked though it is here; what is of no registry is taken as it is. */
  readonly anew: boolean;
}

/**
 * An image that is here by that name, else what its registry has by it (the operator's or Docker Hub, when it names none), for anybody.
 * @throws ImageError `missing` and its like
 */
export async function hereOrPulled({ reference, platform, anew }: Wanted, parts: Moving): Promise<Digest> {
  const isAsked = anew && placesOf(reference, asDocker(parts.registries)).length > 0;
  const here = isAsked ? null : await hereOrNull(reference, platform, parts);
  if (here !== null) return here;
  const task = { verb: "pull", reference, platform, credential: null, insecure: false } as const;
  try {
    return (await pull(task, parts)).digest;
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    // That its registry does not answer, or not to us, is no fault of this host.
    const reason = error.reason === "unavailable" || error.reason === "unauthorized" ? "missing" : error.reason;
    const why = isAsked ? "it was to be pulled, whether it is here or not, and that failed" : NOT_HERE;
    throw new ImageError(reason, `${why}: ${error.message}`, error);
  }
}

const NOT_HERE = "it is not here, and pulling it failed";

async function hereOrNull(reference: string, platform: string | null, parts: Moving): Promise<Digest | null> {
  try {
    const digest = await found(reference, parts);
    if (platform !== null) await requirePlatform(digest, platform, parts.store);
    return digest;
  } catch (error) {
    if (!(error instanceof ImageError) || error.reason !== "missing") throw error;
    return null;
  }
}

/** Pulling another one would move the tag from under those who go by it. */
async function requirePlatform(digest: Digest, wanted: string, store: ImageStore): Promise<void> {
  const { os, architecture, variant } = (await store.image(digest)).config;
  const its = { os, architecture, ...(variant !== undefined && { variant }) };
  if (isFor(its, parsePlatform(wanted))) return;
  throw new ImageError("unsupported", `it is here for ${formatPlatform(its)}, and ${wanted} is asked for`);
}
