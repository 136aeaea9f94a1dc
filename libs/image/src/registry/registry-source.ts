import type { Digest } from "@mayfly/contract";
import { ImageError } from "../error.ts";
import { ACCEPTED, LARGEST_DOCUMENT_BYTES } from "../image/document.ts";
import type { Answer } from "./answer.ts";
import { Unavailable } from "./failure.ts";
import type { Registry } from "./registry.ts";
import { retrying } from "./retry.ts";
import type { ImageSource } from "./source.ts";

/** A repository to fetch from (distribution spec 1.1, "Pull"). */
export function registrySource(host: Registry, repository: string, doing: string): ImageSource {
  const scopes = [`repository:${repository}:pull`];
  return {
    name: `${host.name}/${repository}`,
    manifest: (reference, signal) =>
      retrying(
        async () => {
          const answer = await host.send({
            method: "GET",
            url: `/v2/${repository}/manifests/${reference}`,
            headers: { accept: ACCEPTED },
            ...{ scopes, expect: [200], doing, signal },
          });
          const bytes = await answer.bytes(LARGEST_DOCUMENT_BYTES + 1);
          if (bytes.byteLength > LARGEST_DOCUMENT_BYTES) {
            throw new ImageError(
              "unsupported",
              `${doing}: the manifest ${reference} is over ${LARGEST_DOCUMENT_BYTES} bytes`,
            );
          }
          return { bytes, media_type: answer.headers.get("content-type") };
        },
        host.retry,
        signal,
      ),
    async blob(digest, from, signal) {
      const answer = await host.send({
        method: "GET",
        url: `/v2/${repository}/blobs/${digest}`,
        headers: from === 0 ? {} : { range: `bytes=${from}-` },
        ...{ scopes, expect: [200, 206], doing, signal },
      });
      if (answer.status === 200) return from === 0 ? answer.chunks() : without(answer.chunks(), from);
      if (startOf(answer) === from) return answer.chunks();
      await answer.discard();
      throw new Unavailable(`${doing}: the registry sent another part of ${digest} than was asked for`);
    },
  };
}

/** Where the part begins that a 206 carries (RFC 9110 §14.4). */
function startOf(answer: Answer): number | null {
  const start = /^bytes (\d+)-/.exec(answer.headers.get("content-range") ?? "")?.[1];
  return start === undefined ? null : Number(start);
}

/** A registry may not know parts: then what is here already is read once more. */
async function* without(chunks: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<Uint8Array> {
  let skipped = 0;
  for await (const chunk of chunks) {
    const rest = chunk.subarray(Math.min(chunk.byteLength, from - skipped));
    skipped += chunk.byteLength - rest.byteLength;
    if (rest.byteLength > 0) yield rest;
  }
}

/** Whether a repository has a blob. */
export async function hasBlob(
  host: Registry,
  repository: string,
  digest: Digest,
  ask: { readonly scopes: readonly string[]; readonly doing: string; readonly signal: AbortSignal },
): Promise<boolean> {
  return retrying(
    async () => {
      const url = `/v2/${repository}/blobs/${digest}`;
      const answer = await host.send({ method: "HEAD", url, expect: [200, 404], ...ask });
      await answer.discard();
      return answer.status === 200;
    },
    host.retry,
    ask.signal,
  );
}
