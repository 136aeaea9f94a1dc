import type { Digest } from "@mayfly/contract";
import type { BlobStore } from "../blob/blob-store.ts";
import { ImageError } from "../error.ts";
import { LARGEST_DOCUMENT_BYTES, parseDocument } from "../image/document.ts";
import type { Descriptor, Index } from "../oci.ts";
import type { Gate } from "./gate.ts";
import type { OnProgress } from "./progress.ts";
import type { Registry } from "./registry.ts";
import { hasBlob } from "./registry-source.ts";
import { retrying } from "./retry.ts";
import { beginUpload, begunSession, type Session, sendBlob, type Upload } from "./upload.ts";
import type { Whereabouts } from "./whereabouts.ts";

export interface PushContext {
  readonly blobs: BlobStore;
  readonly host: Registry;
  readonly repository: string;
  readonly whereabouts: Whereabouts;
  readonly chunk_bytes: number | null;
  readonly gate: Gate;
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
}

/**
 * Pushes a manifest, or an index with all that it names, byte for byte: blobs, then manifests, what names others last.
 * @param reference tag or digest that the registry is to know it by @throws ImageError
 */
export async function pushImage(digest: Digest, reference: string, context: PushContext): Promise<void> {
  const bytes = await context.blobs.read(digest, LARGEST_DOCUMENT_BYTES);
  const document = parseDocument(bytes, `the manifest ${digest}`);
  if (document.kind === "index") {
    await requireAll(digest, document.index, context.blobs);
    for (const child of document.index.manifests) await pushImage(child.digest, child.digest, context);
  } else {
    await pushBlobs([document.manifest.config, ...document.manifest.layers], context);
  }
  await putManifest(bytes, digest, document.mediaType, reference, context);
}

async function requireAll(index: Digest, { manifests }: Index, blobs: BlobStore): Promise<void> {
  for (const { digest } of manifests) {
    if (await blobs.has(digest)) continue;
    const what = `the index ${index} names the manifest ${digest}, which is not in the store`;
    throw new ImageError("missing", `${what}; pull it for all platforms, or push one manifest of it`);
  }
}

/** The first failure ends the others. */
async function pushBlobs(listed: readonly Descriptor[], context: PushContext): Promise<void> {
  const wanted = [...new Map(listed.map((one) => [one.digest, one])).values()];
  const failed = new AbortController();
  const signal = AbortSignal.any([context.signal, failed.signal]);
  const all = wanted.map((one) =>
    context.gate
      .run(() => pushBlob(one, { ...context, signal }))
      .catch((error) => {
        failed.abort(error);
        throw error;
      }),
  );
  await Promise.allSettled(all);
  await Promise.all(all);
}

async function pushBlob(blob: Descriptor, context: PushContext): Promise<void> {
  const { host, repository, blobs, whereabouts, doing, signal, onProgress } = context;
  signal.throwIfAborted();
  const { digest, size } = blob;
  const at = (done_bytes: number) => ({ digest, size_bytes: size, done_bytes });
  const scopes = [`repository:${repository}:pull,push`];
  if (await hasBlob(host, repository, digest, { scopes, doing, signal })) {
    whereabouts.saw(digest, repository);
    return onProgress({ ...at(size), state: "present" });
  }
  if (!(await blobs.has(digest))) throw new ImageError("missing", `${doing}: the blob ${digest} is not in the store`);
  const upload: Upload = {
    ...{ host, repository, blob, scopes, doing, signal, chunk_bytes: context.chunk_bytes },
    open: (start, end) => (start === 0 && end === size ? blobs.open(digest) : blobs.openRange(digest, start, end)),
    onMoved: (done) => onProgress({ ...at(done), state: "moving" }),
    onAgain: (done, reason) => onProgress({ ...at(done), state: "again", reason }),
  };
  const begun = await mount(upload, whereabouts);
  if (begun !== "mounted") await sendBlob(upload, begun);
  whereabouts.saw(digest, repository);
  onProgress({ ...at(size), state: begun === "mounted" ? "mounted" : "done" });
}

/** Another repository of this registry may have the blob: then nothing is sent. A registry that does not mount opens an upload. */
async function mount(upload: Upload, whereabouts: Whereabouts): Promise<Session | "mounted"> {
  const { host, repository, blob, doing, signal } = upload;
  const from = whereabouts.other(blob.digest, repository);
  if (from === null) return beginUpload(upload);
  const answer = await retrying(
    () =>
      host.send({
        method: "POST",
        url: `/v2/${repository}/blobs/uploads/?mount=${encodeURIComponent(blob.digest)}&from=${encodeURIComponent(from)}`,
        body: { size_bytes: 0, open: () => new Uint8Array(0) },
        scopes: [...upload.scopes, `repository:${from}:pull`],
        // Whoever may not read the other repository can still upload.
        expect: [201, 202, 401, 403, 404],
        ...{ doing, signal },
      }),
    host.retry,
    signal,
  );
  await answer.discard();
  if (answer.status === 201) return "mounted";
  return answer.status === 202 ? begunSession(answer, doing) : beginUpload(upload);
}

async function putManifest(
  bytes: Buffer,
  digest: Digest,
  mediaType: string,
  reference: string,
  { host, repository, doing, signal }: PushContext,
): Promise<void> {
  const answer = await retrying(
    () =>
      host.send({
        method: "PUT",
        url: `/v2/${repository}/manifests/${reference}`,
        headers: { "content-type": mediaType },
        body: { size_bytes: bytes.byteLength, open: () => bytes },
        scopes: [`repository:${repository}:pull,push`],
        expect: [200, 201, 202],
        ...{ doing, signal },
      }),
    host.retry,
    signal,
  );
  await answer.discard();
  const taken = answer.headers.get("docker-content-digest");
  if (taken?.startsWith("sha256:") && taken !== digest) {
    throw new ImageError("corrupt", `${doing}: the registry took the manifest ${digest} for ${taken}`);
  }
}
