import type { Digest } from "@mayfly/contract";
import { isDigest } from "./digest.ts";
import { ImageError } from "./error.ts";

/** `name[:tag][@digest]`, as in the distribution spec ("Pulling manifests"). Names stay as written: no host is assumed. */
export interface Reference {
  readonly name: string;
  readonly tag: string;
  readonly digest: Digest | null;
}

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
/** A first component with a dot, a port, or `localhost` is a registry host: capitals are legal there. */
const HOST = "(?:localhost|[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:[0-9]))(?::[0-9]+)?";
const NAME = new RegExp(`^(?:${HOST}/)?${COMPONENT}(?:/${COMPONENT})*$`);
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const LONGEST_NAME = 255;

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
  if (name.length > LONGEST_NAME || !NAME.test(name)) {
    throw refused(text, `"${name}" is no name: lower-case letters, digits and . _ - between slashes, 255 characters`);
  }
  if (!TAG.test(tag))
    throw refused(text, `"${tag}" is no tag: letters, digits, _ . -, 128 characters, no . or - first`);
  return { name, tag, digest };
}

/** `name:tag`, whatever was left out when it was written. */
export const formatTag = (reference: Reference): string => `${reference.name}:${reference.tag}`;

const refused = (text: string, why: string) => new ImageError("refused", `the image reference "${text}": ${why}`);
