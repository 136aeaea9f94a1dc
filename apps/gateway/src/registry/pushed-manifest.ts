import { Digest } from "@mayfly/contract";
import { z } from "zod";
import { RegistryFault } from "./fault.ts";

const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
const MANIFESTS = [OCI_MANIFEST, "application/vnd.docker.distribution.manifest.v2+json"];
const INDEXES = [OCI_INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"];

const Descriptor = z.looseObject({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().nonnegative(),
  urls: z.array(z.string()).optional(),
});
const Both = {
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  artifactType: z.string().optional(),
  subject: Descriptor.optional(),
  annotations: z.record(z.string(), z.string()).optional(),
};
const Manifest = z.looseObject({ ...Both, config: Descriptor, layers: z.array(Descriptor) });
const Index = z.looseObject({ ...Both, manifests: z.array(Descriptor) });

/** What a manifest names that must be there before it can come. */
export interface Named {
  readonly kind: "blob" | "manifest";
  readonly digest: Digest;
  readonly size_bytes: number;
}

export interface PushedManifest {
  readonly media_type: string;
  readonly named: readonly Named[];
  readonly subject: Digest | null;
  readonly artifact_type: string | null;
  readonly annotations: Readonly<Record<string, string>> | null;
}

/** @param contentType as it was sent with it @throws RegistryFault MANIFEST_INVALID saying what is wrong with which member */
export function parseManifest(bytes: Uint8Array, contentType: string | null): PushedManifest {
  const value = jsonOf(bytes);
  const sent = contentType?.split(";")[0]?.trim().toLowerCase();
  const written = (value as { mediaType?: unknown } | null)?.mediaType;
  if (sent && typeof written === "string" && written !== sent) {
    throw invalid(`its mediaType is ${written} and its Content-Type ${sent}`);
  }
  const media_type = typeof written === "string" ? written : sent;
  if (media_type !== undefined && MANIFESTS.includes(media_type))
    return fromManifest(check(Manifest, value), media_type);
  if (media_type !== undefined && INDEXES.includes(media_type)) return fromIndex(check(Index, value), media_type);
  throw invalid(`its type is ${media_type ?? "not said"}; ${[...MANIFESTS, ...INDEXES].join(", ")} are kept`);
}

function fromManifest(manifest: z.infer<typeof Manifest>, media_type: string): PushedManifest {
  // What lies elsewhere for good (Windows' base layers) need not be here.
  const named = [manifest.config, ...manifest.layers.filter((layer) => !layer.urls?.length)];
  const artifact_type = manifest.artifactType || manifest.config.mediaType;
  return { ...sharedOf(manifest), media_type, artifact_type, named: named.map((one) => namedOf("blob", one)) };
}

function fromIndex(index: z.infer<typeof Index>, media_type: string): PushedManifest {
  const named = index.manifests.map((one) => namedOf("manifest", one));
  return { ...sharedOf(index), media_type, artifact_type: index.artifactType || null, named };
}

const sharedOf = ({ subject, annotations }: z.infer<typeof Index> | z.infer<typeof Manifest>) => ({
  subject: subject?.digest ?? null,
  annotations: annotations ?? null,
});

const namedOf = (kind: Named["kind"], { digest, size }: z.infer<typeof Descriptor>): Named => ({
  kind,
  digest,
  size_bytes: size,
});

function check<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue!.path.join(".") || "the whole"}: ${issue!.message}`);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw invalid("it is no JSON");
  }
}

const invalid = (why: string) => new RegistryFault("MANIFEST_INVALID", `the manifest cannot be kept: ${why}`);
