import { ImageError } from "../error.ts";
import type { Descriptor } from "../oci.ts";
import type { Answer } from "./answer.ts";
import { Unavailable } from "./failure.ts";
import type { Registry, Request } from "./registry.ts";
import { hasBlob } from "./registry-source.ts";
import { Patience, retrying } from "./retry.ts";
import { resolved } from "./wire.ts";

export interface Upload {
  readonly host: Registry;
  readonly repository: string;
  readonly blob: Descriptor;
  /** The blob's bytes from `start` up to, not including, `end`. */
  readonly open: (start: number, end: number) => AsyncIterable<Uint8Array>;
  /** As much as one request carries; null: whatever is left. */
  readonly chunk_bytes: number | null;
  readonly scopes: readonly string[];
  readonly doing: string;
  readonly signal: AbortSignal;
  readonly onMoved: (done_bytes: number) => void;
  readonly onAgain: (done_bytes: number, reason: string) => void;
}

/** Where an upload goes on. */
export interface Session {
  readonly location: URL;
  readonly at: number;
  /** `OCI-Chunk-Min-Length`. */
  readonly least_bytes: number;
}

/** As small as this, a blob goes in one request after the one that opens the upload. */
const AT_ONCE_BYTES = 64 * 1024;

/** Opens an upload. */
export function beginUpload(upload: Upload): Promise<Session> {
  const { host, repository, signal } = upload;
  return retrying(
    async () => {
      const url = `/v2/${repository}/blobs/uploads/`;
      const answer = await host.send({ ...plain(upload), method: "POST", url, body: NOTHING, expect: [202] });
      await answer.discard();
      return begunSession(answer, upload.doing);
    },
    host.retry,
    signal,
  );
}

export function begunSession(answer: Answer, doing: string): Session {
  const least = Number(answer.headers.get("oci-chunk-min-length") ?? 0);
  return { location: locationOf(answer, doing), at: 0, least_bytes: Number.isSafeInteger(least) ? least : 0 };
}

/**
 * Sends a blob (distribution spec 1.1, "Pushing blobs"): in one request, or in chunks; after a cut the registry is asked what it has,
 * and the rest follows. When the registry knows nothing of the upload any more it starts anew.
 */
export async function sendBlob(upload: Upload, begun: Session): Promise<void> {
  const patience = new Patience(upload.host.retry, upload.signal);
  let session: Session | null = begun;
  for (;;) {
    try {
      session ??= await beginUpload(upload);
      while (session.at < upload.blob.size && upload.blob.size > AT_ONCE_BYTES) {
        const before: number = session.at;
        session = await sendChunk(upload, session);
        if (session.at > before) patience.renew();
        else throw new Unavailable(`${upload.doing}: the registry keeps nothing of what it is sent`);
      }
      return await finish(upload, session);
    } catch (error) {
      if (error instanceof Lost) {
        await patience.after(new Unavailable(error.message));
        session = null;
      } else {
        await patience.after(error);
        // The last answer may be the one that was lost.
        if (await hasBlob(upload.host, upload.repository, upload.blob.digest, upload)) return;
        session = session && (await askSession(upload, session));
      }
      upload.onAgain(session?.at ?? 0, (error as Error).message);
    }
  }
}

/** The registry does not know the upload any more, or cannot go on with it. */
class Lost extends Error {}

async function sendChunk(upload: Upload, session: Session): Promise<Session> {
  const { blob, chunk_bytes } = upload;
  const start = session.at;
  const most = chunk_bytes === null ? blob.size : Math.max(chunk_bytes, session.least_bytes);
  const end = Math.min(blob.size, start + most);
  // All of it in one request is what Docker does; only a part says which one it is.
  const range: Record<string, string> =
    start === 0 && end === blob.size ? {} : { "content-range": `${start}-${end - 1}` };
  const answer = await upload.host.send({
    ...plain(upload),
    method: "PATCH",
    url: session.location,
    headers: { "content-type": "application/octet-stream", ...range },
    body: { size_bytes: end - start, open: () => moving(upload, start, end) },
    expect: [202, 404, 416],
  });
  await answer.discard();
  if (answer.status === 404) throw new Lost(`${upload.doing}: the registry has forgotten the upload`);
  if (answer.status === 416) throw new Unavailable(`${upload.doing}: the registry has another part than we thought`);
  return { ...session, location: locationOf(answer, upload.doing), at: storedOf(answer) ?? end };
}

async function finish(upload: Upload, session: Session): Promise<void> {
  const { blob, doing } = upload;
  const url = new URL(session.location);
  url.searchParams.append("digest", blob.digest);
  const rest = blob.size - session.at;
  const answer = await upload.host.send({
    ...plain(upload),
    method: "PUT",
    url,
    headers: { "content-type": "application/octet-stream" },
    body: rest === 0 ? NOTHING : { size_bytes: rest, open: () => moving(upload, session.at, blob.size) },
    expect: [201, 204, 404],
  });
  await answer.discard();
  if (answer.status === 404) throw new Lost(`${doing}: the registry has forgotten the upload`);
  const digest = answer.headers.get("docker-content-digest");
  if (digest?.startsWith("sha256:") && digest !== blob.digest) {
    throw new ImageError("corrupt", `${doing}: the registry took the blob ${blob.digest} for ${digest}`);
  }
}

/** What the registry has of it; null when it is to be started anew. */
async function askSession(upload: Upload, session: Session): Promise<Session | null> {
  return retrying(
    async () => {
      const answer = await upload.host.send({
        ...plain(upload),
        method: "GET",
        url: session.location,
        expect: [204, 202, 200, 400, 404, 405, 416],
      });
      await answer.discard();
      const at = storedOf(answer);
      // `0-0` is said of one byte and of none.
      if (answer.status > 204 || at === null || at <= 1 || at > upload.blob.size) return null;
      return { ...session, location: locationOf(answer, upload.doing, session.location), at };
    },
    upload.host.retry,
    upload.signal,
  );
}

async function* moving(upload: Upload, start: number, end: number): AsyncGenerator<Uint8Array> {
  let done = start;
  for await (const chunk of upload.open(start, end)) {
    yield chunk;
    done += chunk.byteLength;
    upload.onMoved(done);
  }
}

const NOTHING = { size_bytes: 0, open: () => new Uint8Array(0) };

const plain = ({ scopes, doing, signal }: Upload): Pick<Request, "scopes" | "doing" | "signal"> => ({
  scopes,
  doing,
  signal,
});

/** Bytes that the registry has, from `Range: 0-<last>`, with or without a unit before it. */
function storedOf(answer: Answer): number | null {
  const last = /^(?:bytes[= ])?0-(\d+)$/.exec(answer.headers.get("range") ?? "")?.[1];
  return last === undefined ? null : Number(last) + 1;
}

function locationOf(answer: Answer, doing: string, otherwise?: URL): URL {
  const location = answer.headers.get("location");
  if (location !== null) return resolved(location, answer.url);
  if (otherwise) return otherwise;
  throw new ImageError("refused", `${doing}: the registry answered an upload without saying where it goes on`);
}
