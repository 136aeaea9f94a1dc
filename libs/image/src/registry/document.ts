import { Digest } from "@mayfly/contract";
import { ImageError } from "../error.ts";
import type { Descriptor } from "../oci.ts";
import type { OfferedPlatform } from "./platform.ts";

/** What registries take as well (distribution spec, "Pushing Manifests"). */
export const LARGEST_DOCUMENT = 4 * 1024 * 1024;

/** The documents that name an image: OCI image spec 1.1 and Docker schema 2. */
const MANIFESTS = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
] as const;
const INDEXES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
] as const;
export const ACCEPTED = [...MANIFESTS, ...INDEXES].join(", ");

/** A manifest or an index as far as moving it needs: which bytes it names. Its own bytes are kept as they came. */
export type Document =
  | {
      readonly kind: "manifest";
      readonly media_type: string;
      readonly config: Descriptor;
      /** Bottom first. */
      readonly layers: readonly Descriptor[];
    }
  | { readonly kind: "index"; readonly media_type: string; readonly manifests: readonly OfferedManifest[] };

export interface OfferedManifest extends Descriptor {
  readonly platform: OfferedPlatform | null;
}

const manifests: readonly string[] = MANIFESTS;
const indexes: readonly string[] = INDEXES;

/**
 * Reads a document. Its own `mediaType` decides what it is, then what the registry called it, then its members (OCI leaves
 * `mediaType` out at times). @param name for messages @throws ImageError `unsupported`, `corrupt`
 */
export function parseDocument(bytes: Uint8Array, called: string | null, name: string): Document {
  const value = objectOf(bytes, name);
  const written = typeof value.mediaType === "string" ? value.mediaType : null;
  const header = (called ?? "").split(";")[0]!.trim() || null;
  if (written !== null && header !== null && written !== header && [...manifests, ...indexes].includes(header)) {
    throw new ImageError("corrupt", `${name} is called ${header} and says of itself that it is ${written}`);
  }
  const media_type =
    written ?? (header !== null && [...manifests, ...indexes].includes(header) ? header : guessed(value));
  if (value.schemaVersion !== 2) {
    const old =
      value.schemaVersion === 1 ? "; Docker's first format is not read, push the image again with a newer tool" : "";
    throw new ImageError("unsupported", `${name} has schemaVersion ${String(value.schemaVersion)}${old}`);
  }
  if (indexes.includes(media_type)) {
    return { kind: "index", media_type, manifests: list(value.manifests, `${name}: manifests`).map(offered) };
  }
  if (!manifests.includes(media_type)) {
    throw new ImageError("unsupported", `${name} is ${media_type}, which is neither a manifest nor an index of images`);
  }
  const config = descriptor(value.config, `${name}: config`);
  return { kind: "manifest", media_type, config, layers: list(value.layers, `${name}: layers`) };
}

function objectOf(bytes: Uint8Array, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, with its name.
  }
  throw new ImageError("corrupt", `${name} is no JSON object, so it is no manifest`);
}

const guessed = (value: Record<string, unknown>): string =>
  Array.isArray(value.manifests) ? INDEXES[0] : "config" in value ? MANIFESTS[0] : "unknown";

function list(value: unknown, name: string): Descriptor[] {
  if (!Array.isArray(value)) throw new ImageError("corrupt", `${name} is no list`);
  return value.map((one, at) => descriptor(one, `${name}[${at}]`));
}

/** The members that are there stay: an index is pushed again with all of them. */
function descriptor(value: unknown, name: string): Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Record<string, unknown>;
  if (!Digest.safeParse(digest).success) {
    throw new ImageError(
      "unsupported",
      `${name} has the digest ${JSON.stringify(digest)}; sha256 is the one that is read`,
    );
  }
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
    throw new ImageError("corrupt", `${name} has the size ${JSON.stringify(size)}`);
  }
  return { ...(value as object), mediaType: String(mediaType), digest: digest as Digest, size };
}

function offered(one: Descriptor): OfferedManifest {
  const { platform } = one as unknown as { platform?: Record<string, unknown> };
  const text = (value: unknown) => (typeof value === "string" ? value : "");
  return {
    ...one,
    platform: platform
      ? { os: text(platform.os), architecture: text(platform.architecture), variant: text(platform.variant) }
      : null,
  };
}
