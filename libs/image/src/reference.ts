import { type Digest, REGISTRY_HOST, REPOSITORY_COMPONENT } from "@mayfly/contract";
import { isDigest } from "./digest.ts";
import { ImageError } from "./error.ts";

/** `[host/]path[:tag][@digest]`, as in the distribution spec ("Pulling manifests"). Names stay as written: no host is assumed. */
export interface Reference {
  /** With its host: what tags are kept under. */
  readonly name: string;
  /** Of the registry, with its port; null when none is written: the image is meant to be here. */
  readonly host: string | null;
  /** The repository in its registry: the name without its host. */
  readonly repository: string;
  readonly tag: string;
  readonly digest: Digest | null;
}

const NAME = new RegExp(`^(?:(${REGISTRY_HOST})/)?(${REPOSITORY_COMPONENT}(?:/${REPOSITORY_COMPONENT})*)$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LONGEST_NAME = 255;
/** It would be taken for an image's id. */
const LIKE_AN_ID = /^[0-9a-f]{64}$/;

/** @throws ImageError `refused`, saying which part is wrong. The tag is `latest` when none is written. */
export function parseReference(text: string): Reference {
  const at = text.indexOf("@");
  const digest = at === -1 ? null : text.slice(at + 1);
  const tagged = at === -1 ? text : text.slice(0, at);
  if (digest !== null && !isDigest(digest)) throw refused(text, `"${digest}" is no digest like sha256:<64 hex digits>`);
  const colon = tagged.lastIndexOf(":");
  const hasTag = colon > tagged.lastIndexOf("/");
  const name = hasTag ? tagged.slice(0, colon) : tagged;
  const tag = hasTag ? tagged.slice(colon + 1) : "latest";
  const parts = NAME.exec(name);
  if (name.length > LONGEST_NAME || !parts) {
    throw refused(text, `"${name}" is no name: lower-case letters, digits and . _ - between slashes, 255 characters`);
  }
  if (LIKE_AN_ID.test(name)) throw refused(text, "a name of 64 hex digits would be taken for an id");
  if (!TAG.test(tag))
    throw refused(text, `"${tag}" is no tag: letters, digits, _ . -, 128 characters, no . or - first`);
  return { name, host: parts[1] ?? null, repository: parts[2]!, tag, digest };
}

/** `name:tag`, whatever was left out when it was written. */
export const formatTag = (reference: Pick<Reference, "name" | "tag">): string => `${reference.name}:${reference.tag}`;

const refused = (text: string, why: string) => new ImageError("refused", `the image reference "${text}": ${why}`);
