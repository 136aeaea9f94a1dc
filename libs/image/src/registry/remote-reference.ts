import type { Digest } from "@mayfly/contract";
import { parseReference } from "../reference.ts";

/** An image at a registry. */
export interface RemoteReference {
  /** `host[:port]`; Docker Hub is `docker.io`, though it answers elsewhere. */
  readonly host: string;
  readonly repository: string;
  /** Null when a digest was given without one. */
  readonly tag: string | null;
  readonly digest: Digest | null;
}

const HUB = "docker.io";
const HUB_NAMES = new Set([HUB, "index.docker.io", "registry-1.docker.io"]);

/**
 * Reads `[host/]name[:tag][@digest]` as Docker does (distribution/reference, normalize.go): without a
 * host it is Docker Hub, whose single names are below `library/`. @throws ImageError `refused`
 */
export function parseRemoteReference(text: string): RemoteReference {
  const { host: written, repository: rest, tag, digest } = parseReference(text);
  const host = written === null || HUB_NAMES.has(written) ? HUB : written;
  const repository = host === HUB && !rest.includes("/") ? `library/${rest}` : rest;
  const tagged = digest === null || text.slice(0, text.indexOf("@")).lastIndexOf(":") > text.lastIndexOf("/");
  return { host, repository, tag: tagged ? tag : null, digest };
}

/** What to ask a registry for: the digest when there is one, whatever the tag says. */
export const remoteTarget = (remote: RemoteReference): string => remote.digest ?? remote.tag ?? "latest";

/** Whole, with its host: no local name looks like it, so that what was pulled never takes the place of what was made here. */
export function formatRemote(remote: RemoteReference): string {
  const tag = remote.tag === null ? "" : `:${remote.tag}`;
  const digest = remote.digest === null ? "" : `@${remote.digest}`;
  return `${remote.host}/${remote.repository}${tag}${digest}`;
}
