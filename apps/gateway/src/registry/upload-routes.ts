import type { Digest } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import { RegistryFault } from "./fault.ts";
import { chunkRange } from "./range.ts";
import { announcedBytes, blobBody, header, type RegistryRequest } from "./request.ts";
import { digestOf, isRepositoryName } from "./target.ts";
import { OutOfOrder, SizeMismatch, UploadOver } from "./uploads.ts";

/** `POST /v2/<name>/blobs/uploads/`: begins an upload, takes a small blob at once (`?digest=`), or mounts (`?mount=&from=`). */
export async function beginRoute(request: RegistryRequest, repository: string): Promise<Response> {
  const { store, url } = request;
  const [mount, from, whole] = ["mount", "from", "digest"].map((name) => url.searchParams.get(name));
  if (mount && from && isRepositoryName(from)) {
    const digest = digestOf(mount);
    if (await store.mountBlob(from, repository, digest)) return stored(repository, digest);
  }
  if (whole) {
    const digest = digestOf(whole);
    await keeping(digest, () =>
      store.addBlob(repository, digest, (blobs) => blobs.put(blobBody(request, 0), { expect: digest })),
    );
    return stored(repository, digest);
  }
  return progress(202, repository, await store.uploads.begin(repository), 0);
}

/** `GET`, `PATCH`, `PUT`, `DELETE /v2/<name>/blobs/uploads/<id>`. */
export async function uploadRoute(request: RegistryRequest, repository: string, id: string): Promise<Response> {
  const { uploads } = request.store;
  const size = await uploads.size(repository, id);
  if (size === null) throw unknownUpload(repository, id);
  try {
    if (request.method === "PATCH") return progress(202, repository, id, await append(request, id, size));
    if (request.method === "PUT") return await close(request, repository, id, size);
    if (request.method === "GET") return progress(204, repository, id, size);
    await uploads.cancel(id);
    return new Response(null, { status: 204 });
  } catch (error) {
    if (error instanceof UploadOver) throw unknownUpload(repository, id);
    if (error instanceof SizeMismatch) throw new RegistryFault("SIZE_INVALID", error.message);
    if (!(error instanceof OutOfOrder)) throw error;
    throw new RegistryFault("BLOB_UPLOAD_INVALID", `the next chunk starts at ${error.size_bytes}`, {
      ...{ status: 416, headers: progressHeaders(repository, id, error.size_bytes) },
    });
  }
}

/** @returns the bytes that the upload has then */
async function append(request: RegistryRequest, id: string, size: number): Promise<number> {
  const text = header(request, "content-range");
  const range = text === null ? null : chunkRange(text);
  // A range that is none cannot be where the upload goes on.
  if (text !== null && range === null) throw new OutOfOrder(size);
  const length = range ? range.end - range.start : announcedBytes(request);
  return request.store.uploads.append(id, {
    body: blobBody(request, size),
    start: range?.start ?? null,
    length,
    cut: () => request.incoming.destroy(),
  });
}

async function close(request: RegistryRequest, repository: string, id: string, size: number): Promise<Response> {
  const { store, url } = request;
  const digest = digestOf(url.searchParams.get("digest") ?? "");
  await append(request, id, size);
  await keeping(digest, () =>
    store.uploads.finish(id, (path) => store.addBlob(repository, digest, (blobs) => blobs.take(path, digest))),
  );
  return stored(repository, digest);
}

/** Says of bytes that are not the digest's that they were not kept. */
async function keeping(digest: Digest, store: () => Promise<void>): Promise<void> {
  try {
    await store();
  } catch (error) {
    if (!(error instanceof ImageError) || error.reason !== "refused") throw error;
    throw new RegistryFault("DIGEST_INVALID", error.message, { detail: { digest }, cause: error });
  }
}

const stored = (repository: string, digest: Digest): Response =>
  new Response(null, {
    status: 201,
    headers: { location: `/v2/${repository}/blobs/${digest}`, "docker-content-digest": digest },
  });

const progress = (status: number, repository: string, id: string, size: number): Response =>
  new Response(null, { status, headers: progressHeaders(repository, id, size) });

const progressHeaders = (repository: string, id: string, size: number) => ({
  location: `/v2/${repository}/blobs/uploads/${id}`,
  // Of no bytes it says the same as of one: the spec has no other way.
  range: `0-${Math.max(0, size - 1)}`,
  "docker-upload-uuid": id,
});

const unknownUpload = (repository: string, id: string) =>
  new RegistryFault("BLOB_UPLOAD_UNKNOWN", `${repository} has no upload ${id}; begin one with POST`);
