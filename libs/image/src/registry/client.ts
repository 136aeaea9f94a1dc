import type { Digest } from "@mayfly/contract";
import { sha256 } from "../digest.ts";
import { ImageError } from "../error.ts";
import type { ImageStore } from "../image-store.ts";
import type { Platform } from "../oci.ts";
import type { Credential } from "./authorizer.ts";
import { Courier } from "./courier/courier.ts";
import type { CourierPrograms } from "./courier/process.ts";
import type { Fetched } from "./fetch-image.ts";
import { Gate } from "./gate.ts";
import { type Importer, imageImporter, type Moving, NEVER, PARALLEL } from "./importer.ts";
import { pushImage } from "./push-image.ts";
import type { Registry, RegistryOptions } from "./registry.ts";
import { RegistryHost } from "./registry-host.ts";
import { registrySource } from "./registry-source.ts";
import { formatRemote, parseRemoteReference, type RemoteReference, remoteTarget } from "./remote-reference.ts";
import { RETRY, type RetryPolicy } from "./retry.ts";
import { Whereabouts } from "./whereabouts.ts";

export interface RegistryClientOptions {
  readonly store: Pick<ImageStore, "blobs" | "tag" | "resolve">;
  /** A process without privileges speaks with the registries. None: this one does. */
  readonly courier?: CourierPrograms;
  /** By `host[:port]`, `docker.io` for Docker Hub; null: as anybody. */
  readonly credential?: (host: string) => Credential | null;
  /** Hosts that are spoken to in plain HTTP; this machine always is. */
  readonly insecure?: readonly string[];
  /** Blobs that move at once, either way. */
  readonly parallel?: number;
  /** As much of a blob as one request carries up; null: all that is left of it. */
  readonly chunk_bytes?: number | null;
  /** An image of more bytes than this, as stored, is refused. */
  readonly most_bytes?: number;
  /** Of the same store, in the place of one of its own: clients that share one fetch each blob once. */
  readonly importer?: Importer;
  /** A connection on which nothing moves for so long is given up and tried again. */
  readonly stall_ms?: number;
  readonly retry?: RetryPolicy;
}

/** Pulls into a store and pushes out of it. Callers that share one share its downloads, its tokens and its bound on what moves at once. */
export interface RegistryClient {
  /**
   * Fetches what `reference` names and tags it with its whole name, host included (by digest alone it gets no tag).
   * @param options.platform of an index; this host's by default. `all` fetches every manifest, so that the index can be pushed again.
   * @throws ImageError naming registry, repository and reference, what was answered, and what to do
   */
  pull(reference: string, options?: Moving & { readonly platform?: Platform | "all" }): Promise<Fetched>;
  /** What `reference` stands for there: the digest of a manifest or an index. @throws ImageError, as `pull` */
  resolve(reference: string, options?: Pick<Moving, "signal">): Promise<Digest>;
  /**
   * Sends the image that `local` names (a tag, a digest) to `reference`, which has a tag or none (`latest`).
   * @returns its digest, which is the same there. @throws ImageError, as `pull`
   */
  push(local: string, reference: string, options?: Moving): Promise<Digest>;
}

const MOST_BYTES = 64 * 1024 ** 3;
const STALL_MS = 120_000;

export function registryClient(options: RegistryClientOptions): RegistryClient {
  const { store, retry = RETRY } = options;
  const insecure = new Set(options.insecure ?? []);
  const parallel = options.parallel ?? PARALLEL;
  const gate = new Gate(parallel);
  const importer =
    options.importer ??
    imageImporter({ blobs: store.blobs, most_bytes: options.most_bytes ?? MOST_BYTES, retry, parallel });
  const courier = options.courier === undefined ? null : new Courier(options.courier);
  const open = (asked: RegistryOptions) => courier?.registry(asked) ?? new RegistryHost(asked);
  const known = new Map<string, { readonly host: Registry; readonly whereabouts: Whereabouts }>();
  const registry = (host: string) => {
    const found = known.get(host) ?? {
      host: open({
        ...{ host, insecure, retry, stall_ms: options.stall_ms ?? STALL_MS },
        credential: options.credential?.(host) ?? null,
      }),
      whereabouts: new Whereabouts(),
    };
    known.set(host, found);
    return found;
  };
  return {
    async pull(reference, { onProgress = () => {}, ...moving } = {}) {
      const remote = parseRemoteReference(reference);
      const { host, whereabouts } = registry(remote.host);
      const source = registrySource(host, remote.repository, `pulling ${formatRemote(remote)}`);
      const fetched = await importer.fetch(source, remoteTarget(remote), {
        ...moving,
        onProgress: (progress) => {
          if (progress.state === "done") whereabouts.saw(progress.digest, remote.repository);
          onProgress(progress);
        },
      });
      if (remote.tag !== null) await store.tag(formatRemote({ ...remote, digest: null }), fetched.image);
      return fetched;
    },
    async resolve(reference, { signal = NEVER } = {}) {
      const remote = parseRemoteReference(reference);
      const source = registrySource(
        registry(remote.host).host,
        remote.repository,
        `looking for ${formatRemote(remote)}`,
      );
      return sha256((await source.manifest(remoteTarget(remote), signal)).bytes);
    },
    async push(local, reference, { signal = NEVER, onProgress = () => {} } = {}) {
      const remote = parseRemoteReference(reference);
      const digest = await store.resolve(local);
      if (digest === null) throw new ImageError("missing", `pushing ${local}: there is no such image here`);
      const { host, whereabouts } = registry(remote.host);
      await pushImage(digest, targetOf(remote, digest), {
        ...{ blobs: store.blobs, host, repository: remote.repository, whereabouts, gate, signal, onProgress },
        chunk_bytes: options.chunk_bytes ?? null,
        doing: `pushing ${local} to ${formatRemote(remote)}`,
      });
      return digest;
    },
  };
}

/** A digest can only be the image's own. */
function targetOf(remote: RemoteReference, digest: Digest): string {
  if (remote.digest === null || remote.digest === digest) return remoteTarget(remote);
  throw new ImageError("refused", `${formatRemote(remote)} names another image than ${digest}, which was to be pushed`);
}
