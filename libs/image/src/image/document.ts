import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { isDigest } from "../digest.ts";
import { ImageError } from "../error.ts";
import { type Descriptor, type Index, type Manifest, MEDIA_TYPE } from "../oci.ts";

/** What registries take as well (distribution spec, "Pushing manifests"). */
export const LARGEST_DOCUMENT_BYTES = 4 * 1024 * 1024;

const DOCUMENT_TYPES = [MEDIA_TYPE.manifest, MEDIA_TYPE.dockerManifest, MEDIA_TYPE.index, MEDIA_TYPE.dockerList];
/** For a registry's eyes (RFC 9110 §12.5.1). */
export const ACCEPTED = DOCUMENT_TYPES.join(", ");

/** What a digest in a tag or an index stands for. Its bytes are never written anew: that would be another digest. */
export type Document =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: Index };

/** @throws ImageError `missing`, `corrupt`, `unsupported` */
export async function readDocument(digest: Digest, blobs: BlobStore): Promise<Document> {
  return parseDocument(await blobs.read(digest, LARGEST_DOCUMENT_BYTES), `the blob ${digest}`);
}

/**
 * Reads a manifest or an index: OCI's, or Docker's schema 2. `what` names it in errors; `called` is what a registry says that it is, which
 * counts where it does not say so itself. @throws ImageError `corrupt`, or `unsupported` for other documents
 */
export function parseDocument(bytes: Uint8Array, what: string, called: string | null = null): Document {
  const value = parseJson(bytes, what);
  const wrong = (why: string) => new ImageError("unsupported", `${what} is no image's manifest or index: ${why}`);
  if (value.schemaVersion !== 2) throw wrong(`schemaVersion is ${JSON.stringify(value.schemaVersion)}, not 2`);
  const header = DOCUMENT_TYPES.find((type) => type === called?.replace(/;.*/s, "").trim());
  if (header && value.mediaType !== undefined && value.mediaType !== header) {
    throw new ImageError("corrupt", `${what} is called ${header} and says of itself that it is ${value.mediaType}`);
  }
  const hasManifests = value.manifests !== undefined;
  // One reader would take it for the one, another for the other (CVE-2021-41190).
  if (hasManifests && (value.layers !== undefined || value.config !== undefined)) throw wrong("it could be either");
  const mediaType = value.mediaType ?? header ?? (hasManifests ? MEDIA_TYPE.index : MEDIA_TYPE.manifest);
  if (mediaType === MEDIA_TYPE.index || mediaType === MEDIA_TYPE.dockerList) {
    const manifests = descriptors(value.manifests, "manifests", wrong);
    return { kind: "index", mediaType, index: { ...(value as unknown as Index), manifests } };
  }
  if (mediaType === MEDIA_TYPE.manifest || mediaType === MEDIA_TYPE.dockerManifest) {
    const [config] = descriptors([value.config], "config", wrong);
    const layers = descriptors(value.layers, "layers", wrong);
    return { kind: "manifest", mediaType, manifest: { ...(value as unknown as Manifest), config: config!, layers } };
  }
  throw wrong(`its mediaType is ${JSON.stringify(mediaType)}`);
}

export function parseJson(bytes: Uint8Array, what: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new ImageError("corrupt", `${what} is no JSON object`);
}

function descriptors(value: unknown, member: string, wrong: (why: string) => ImageError): Descriptor[] {
  if (!Array.isArray(value)) throw wrong(`it has no ${member}`);
  for (const part of value as Partial<Descriptor>[]) {
    if (!isDigest(part?.digest)) throw wrong(`${member}: "${part?.digest}" is no digest`);
    if (!Number.isSafeInteger(part.size) || part.size! < 0) throw wrong(`${member}: the size ${part.size} is no count`);
    if (typeof part.mediaType !== "string") throw wrong(`${member}: a descriptor has no mediaType`);
  }
  return value;
}
