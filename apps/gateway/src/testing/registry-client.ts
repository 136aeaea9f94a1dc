import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { TestGateway } from "./gateway.ts";

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json";
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json";
export const sha256 = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
export const HELLO = Buffer.from("hello");
export const ABSENT = sha256("never sent");

/** The distribution API of a gateway, as a client without mercy speaks it. */
export function registryClient(of: () => TestGateway) {
  const v2 = (path: string, init: RequestInit = {}) => of().api(`/v2${path}`, init);
  const send = (method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}) =>
    v2(path, { method, headers, ...(body === undefined ? {} : { body: body as never }) });
  /** Status and the code of the first error. */
  const failure = async (answer: Response | Promise<Response>) => {
    const one = await answer;
    const { errors } = (await one.json()) as { errors: { code: string; message: string }[] };
    return [one.status, errors[0]!.code];
  };
  const pushBlob = async (repository: string, bytes: Uint8Array | string) => {
    const digest = sha256(bytes);
    const answer = await send("POST", `/${repository}/blobs/uploads/?digest=${digest}`, Buffer.from(bytes));
    expect(answer.status).toBe(201);
    return { mediaType: "application/octet-stream", digest, size: Buffer.byteLength(bytes) };
  };
  const begin = async (repository: string) => {
    const answer = await send("POST", `/${repository}/blobs/uploads/`);
    expect(answer.status).toBe(202);
    return answer.headers.get("location")!.replace("/v2", "");
  };
  const manifestOf = async (repository: string, more: object = {}, layer = HELLO) => {
    const [config, blob] = [await pushBlob(repository, "{}"), await pushBlob(repository, layer)];
    return JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config, layers: [blob], ...more });
  };
  const pushManifest = (repository: string, reference: string, text: string, type = OCI_MANIFEST) =>
    send("PUT", `/${repository}/manifests/${reference}`, text, { "content-type": type });
  /** A manifest that is there, by its digest. */
  const pushed = async (repository: string, reference: string, more: object = {}) => {
    const text = await manifestOf(repository, more);
    expect((await pushManifest(repository, reference, text)).status).toBe(201);
    return { text, digest: sha256(text) };
  };
  return { v2, send, failure, pushBlob, begin, manifestOf, pushManifest, pushed };
}
