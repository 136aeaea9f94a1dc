import type { Digest } from "@mayfly/contract";
import { ImageError } from "../error.ts";
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
 * Reads `[host/]name[:tag][@digest]` as Docker does (distribution/reference, normalize.go): what stands before the first slash is a
 * host when it has a dot, a colon or a capital, or is `localhost`; without a host it is Docker Hub, whose single names are below
 * `library/`. @throws ImageError `refused`
 */
export function parseRemoteReference(text: string): RemoteReference {
  const { name, tag, digest } = parseReference(text);
  if (/^[0-9a-f]{64}$/.test(name)) {
    throw new ImageError(
      "refused",
      `the image reference "${text}": 64 hex digits name an image here, not at a registry`,
    );
  }
  const slash = name.indexOf("/");
  const first = slash === -1 ? "" : name.slice(0, slash);
  const isHost = first === "localhost" || /[.:A-Z]/.test(first);
  const host = !isHost || HUB_NAMES.has(first) ? HUB : first;
  const rest = isHost ? name.slice(slash + 1) : name;
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
