import { createHash } from "node:crypto";
import type { RegistryManifest } from "@mayfly/catalog";
import { type Digest, FIXED_LIMITS, formatBytes } from "@mayfly/contract";
import { RegistryFault } from "./fault.ts";
import { isPublished } from "./published.ts";
import { type Named, parseManifest } from "./pushed-manifest.ts";
import { bodyOf, header, type RegistryRequest } from "./request.ts";
import { digestOf, isTag } from "./target.ts";

/** `GET`, `HEAD`, `PUT`, `DELETE /v2/<name>/manifests/<reference>`. */
export async function manifestRoute(
  request: RegistryRequest,
  repository: string,
  reference: string,
): Promise<Response> {
  if (request.method === "PUT") return put(request, repository, reference);
  if (reference.includes(":")) digestOf(reference);
  const { store, method, published } = request;
  if (method !== "DELETE" && isPublished(repository) && isTag(reference))
    await published.refresh(repository, reference);
  const found = await store.index.manifest(repository, reference);
  if (!found) throw await unknown(request, repository, reference);
  if (method === "DELETE") {
    if (reference.includes(":")) await store.removeManifest(repository, found.digest);
    else await store.index.removeTag(repository, reference);
    return new Response(null, { status: 202 });
  }
  const { digest, media_type, size_bytes } = found;
  const headers = {
    "content-type": media_type,
    "content-length": String(size_bytes),
    "docker-content-digest": digest,
    etag: `"${digest}"`,
  };
  if (header(request, "if-none-match") === headers.etag) return new Response(null, { status: 304, headers });
  if (method === "HEAD") return new Response(null, { headers });
  return new Response(new Uint8Array(await store.blobs.read(digest, FIXED_LIMITS.manifest_bytes)), { headers });
}

async function put(request: RegistryRequest, repository: string, reference: string): Promise<Response> {
  const byDigest = reference.includes(":") ? digestOf(reference) : null;
  if (byDigest === null && !isTag(reference)) {
    throw new RegistryFault(
      "MANIFEST_INVALID",
      `"${reference}" is no tag: letters, digits, _ . -, 128 characters, no . or - first`,
    );
  }
  const bytes = await manifestBytes(request);
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
  if (byDigest !== null && byDigest !== digest) {
    throw new RegistryFault("DIGEST_INVALID", `the manifest was announced as ${byDigest} and its bytes are ${digest}`);
  }
  const { named, ...described } = parseManifest(bytes, header(request, "content-type"));
  const manifest: RegistryManifest = { repository, digest, size_bytes: bytes.byteLength, ...described };
  await request.store.putManifest(manifest, bytes, {
    named: named.map((one) => one.digest),
    tag: byDigest === null ? reference : null,
    check: () => requireNamed(request, repository, named),
  });
  const subject: Record<string, string> = described.subject === null ? {} : { "oci-subject": described.subject };
  return new Response(null, {
    status: 201,
    headers: { location: `/v2/${repository}/manifests/${digest}`, "docker-content-digest": digest, ...subject },
  });
}

async function manifestBytes(request: RegistryRequest): Promise<Buffer> {
  const most = FIXED_LIMITS.manifest_bytes;
  const tooLarge = () =>
    new RegistryFault("MANIFEST_INVALID", `a manifest has at most ${formatBytes(most)} (${most} bytes)`, {
      status: 413,
    });
  const chunks: Buffer[] = [];
  for await (const chunk of bodyOf(request, most, tooLarge)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a manifest names must be in its repository: then whoever can read it can read all of it. */
async function requireNamed({ store }: RegistryRequest, repository: string, named: readonly Named[]): Promise<void> {
  for (const { kind, digest, size_bytes } of named) {
    const size =
      kind === "blob"
        ? await store.blobSize(repository, digest)
        : ((await store.index.manifest(repository, digest))?.size_bytes ?? null);
    if (size === null) {
      throw new RegistryFault(
        "MANIFEST_BLOB_UNKNOWN",
        `${repository} has no ${kind} ${digest}, which the manifest names`,
        {
          detail: { digest },
        },
      );
    }
    if (size !== size_bytes) {
      throw new RegistryFault(
        "SIZE_INVALID",
        `the ${kind} ${digest} has ${size} bytes; the manifest says ${size_bytes}`,
      );
    }
  }
}

async function unknown({ store }: RegistryRequest, repository: string, reference: string): Promise<RegistryFault> {
  if (!(await store.index.hasRepository(repository))) {
    return new RegistryFault("NAME_UNKNOWN", `there is no repository ${repository}; push to it and it is there`);
  }
  return new RegistryFault("MANIFEST_UNKNOWN", `${repository} has no manifest ${reference}`, { detail: { reference } });
}
