import { Digest } from "@mayfly/contract";
import { RegistryFault } from "./fault.ts";

/** What a path below `/v2/` names (distribution spec, "Endpoints"). */
export type Target =
  | { readonly kind: "base" }
  | { readonly kind: "catalog" }
  | { readonly kind: "blob" | "referrers"; readonly repository: string; readonly digest: Digest }
  | { readonly kind: "uploads" | "tags"; readonly repository: string }
  | { readonly kind: "upload"; readonly repository: string; readonly id: string }
  /** A reference is a digest when it has a colon, else what may be a tag. */
  | { readonly kind: "manifest"; readonly repository: string; readonly reference: string };

const COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";
const NAME = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
const LONGEST_NAME = 255;
/** The last of its keywords counts: a repository may have them in its name. */
const PATH = /^\/v2\/(.+)\/(?:(blobs\/uploads)(?:\/([^/]*))?|(blobs|manifests|referrers)\/([^/]+)|(tags\/list))$/;

export const isRepositoryName = (text: string): boolean => text.length <= LONGEST_NAME && NAME.test(text);
export const isTag = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(text);

/** @param path as it came, with its escapes @throws RegistryFault */
export function parseTarget(path: string): Target {
  if (path === "/v2" || path === "/v2/") return { kind: "base" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const [, name, uploads, id, kind, reference, tags] = PATH.exec(path)?.map((part) => part && unescaped(part)) ?? [];
  if (name === undefined) throw new RegistryFault("UNSUPPORTED", `there is no route ${path}`, { status: 404 });
  if (!isRepositoryName(name)) {
    throw new RegistryFault(
      "NAME_INVALID",
      `"${name}" is no name of a repository: lower-case letters, digits and . _ - between slashes, ${LONGEST_NAME} characters`,
    );
  }
  if (uploads) return id ? { kind: "upload", repository: name, id } : { kind: "uploads", repository: name };
  if (tags) return { kind: "tags", repository: name };
  if (kind === "manifests") return { kind: "manifest", repository: name, reference: reference! };
  return { kind: kind === "blobs" ? "blob" : "referrers", repository: name, digest: digestOf(reference!) };
}

/** @throws RegistryFault */
export function digestOf(text: string): Digest {
  const parsed = Digest.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new RegistryFault(
    "DIGEST_INVALID",
    `"${text}" is no digest like sha256:<64 hex digits>, the one kind that is kept here`,
  );
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RegistryFault("NAME_INVALID", `"${text}" has an escape that is none`);
  }
}
