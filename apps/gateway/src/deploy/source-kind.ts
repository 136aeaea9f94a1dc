import { Fault, type SourceKind, sniffArchive, type UploadKind, whyNoSource } from "@mayfly/contract";

export interface KnownSource {
  readonly kind: UploadKind;
  /** Name that a lone module gets: its extension decides how it is read. */
  readonly fileName: string;
}

const MODULE_TYPES: Record<string, string> = {
  "text/javascript": "index.js",
  "application/javascript": "index.js",
  "text/ecmascript": "index.js",
  "application/typescript": "index.ts",
  "text/typescript": "index.ts",
  "text/jsx": "index.jsx",
  "text/tsx": "index.tsx",
};
const ARCHIVE_TYPES: Record<string, SourceKind> = {
  "application/x-tar": "tar",
  "application/tar": "tar",
  "application/gzip": "tar.gz",
  "application/x-gzip": "tar.gz",
  "application/zip": "zip",
  "application/x-zip-compressed": "zip",
};
const MODULE_NAME = /^[A-Za-z0-9_.-]{1,100}\.(js|mjs|cjs|ts|mts|cts|jsx|tsx)$/;

/** As many bytes as are looked at to know a source that does not say what it is. */
export const SNIFF_BYTES = 1024;

/**
 * What kind of source a body is: by its type when that says so, else by its first bytes. A lone module that says nothing is read as
 * TypeScript with JSX where it can be: every JavaScript module is that too, but for a few angle brackets.
 * @throws Fault unsupported_source
 */
export function sourceKind(contentType: string | undefined, first: Buffer, fileName: string | undefined): KnownSource {
  const type = (contentType ?? "").split(";")[0]!.trim().toLowerCase();
  if (fileName !== undefined && !MODULE_NAME.test(fileName)) {
    throw new Fault("unsupported_source", {
      detail: `file=${fileName} is no name of a JavaScript or TypeScript module`,
      hint: "for example file=index.tsx",
    });
  }
  if (type === "application/json") return { kind: "reference", fileName: "" };
  const isDockerfile = type === "text/x-dockerfile";
  const archive = Object.hasOwn(ARCHIVE_TYPES, type) ? ARCHIVE_TYPES[type] : sniffArchive(first);
  if (archive && !isDockerfile) return { kind: archive, fileName: "" };
  const why = whyNoSource(first);
  if (why !== null) {
    throw new Fault("unsupported_source", {
      detail: `the body is ${why}`,
      hint: "send one module, a Dockerfile, or an archive of a project",
    });
  }
  if (isDockerfile) return { kind: "dockerfile", fileName: "" };
  if (Object.hasOwn(MODULE_TYPES, type)) return { kind: "module", fileName: fileName ?? MODULE_TYPES[type]! };
  const text = first.toString("utf8");
  if (/^\s*(#[^\n]*\n\s*)*(FROM|ARG)\s+\S/i.test(text)) return { kind: "dockerfile", fileName: "" };
  return { kind: "module", fileName: fileName ?? "index.ts" };
}
