import type { Readable } from "node:stream";
import type { Digest } from "@mayfly/contract";
import { RegistryFault } from "./fault.ts";
import { heldBack } from "./held-back.ts";
import { partOf } from "./range.ts";
import { header, type RegistryRequest } from "./request.ts";

/** `GET`, `HEAD`, `DELETE /v2/<name>/blobs/<digest>`. */
export async function blobRoute(request: RegistryRequest, repository: string, digest: Digest): Promise<Response> {
  const { store, method } = request;
  const size = await store.blobSize(repository, digest);
  if (size === null)
    throw new RegistryFault("BLOB_UNKNOWN", `${repository} has no blob ${digest}`, { detail: { digest } });
  if (method === "DELETE") {
    await remove(request, repository, digest);
    return new Response(null, { status: 202 });
  }
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    etag: `"${digest}"`,
    "accept-ranges": "bytes",
  };
  if (header(request, "if-none-match") === headers.etag) return new Response(null, { status: 304, headers });
  const part = method === "HEAD" ? null : partOf(header(request, "range"), size);
  if (part === "unsatisfiable") {
    throw new RegistryFault("SIZE_INVALID", `the blob ${digest} has ${size} bytes`, {
      ...{ status: 416, headers: { "content-range": `bytes */${size}` } },
    });
  }
  if (part) {
    const { start, end } = part;
    const range = { "content-range": `bytes ${start}-${end - 1}/${size}`, "content-length": String(end - start) };
    return streamed(request, store.blobs.openRange(digest, start, end), {
      status: 206,
      headers: { ...headers, ...range },
    });
  }
  const whole = { status: 200, headers: { ...headers, "content-length": String(size) } };
  return method === "HEAD" ? new Response(null, whole) : streamed(request, store.blobs.open(digest), whole);
}

/** What cannot be given whole cuts the connection: its head has said already how long it would be. */
function streamed({ incoming, log }: RegistryRequest, stream: Readable, init: ResponseInit): Response {
  const guarded = async function* () {
    try {
      yield* heldBack(stream);
    } catch (error) {
      log.error({ err: error }, "a blob could not be given");
      incoming.socket.destroy();
    }
  };
  // Not by way of a Node stream: that one copies every chunk.
  return new Response(ReadableStream.from(guarded()) as unknown as ReadableStream, init);
}

async function remove({ store }: RegistryRequest, repository: string, digest: Digest): Promise<void> {
  const user = await store.index.userOf(repository, digest);
  if (user === null) return store.removeBlob(repository, digest);
  throw new RegistryFault(
    "UNSUPPORTED",
    `the manifest ${user} of ${repository} names this blob; delete the manifest first`,
    {
      headers: { allow: "GET, HEAD" },
    },
  );
}
