import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import {
  type BuildRecord,
  type BuildUsage,
  type SourceKind,
  type SourceReference,
  sniffArchive,
  whyNoSource,
} from "@mayfly/contract";
import { readGitReference } from "../dockerfile/plan/git-reference.ts";
import { BuildStopped } from "../fault.ts";
import { Meter } from "../meter.ts";
import { Records } from "../records.ts";
import { type Fetched, type Fetching, fetchRemote } from "./fetch.ts";
import type { RemoteSource } from "./protocol.ts";

/** Of a context that is fetched, as it comes. */
const LARGEST_BYTES = 512 * 1024 ** 2;
const MODULE = /^[A-Za-z0-9_.-]{1,100}\.[cm]?[jt]sx?$/;
/** As many bytes as tell what a source is. */
const SNIFFED_BYTES = 1024;

export interface BringInput extends Omit<Fetching, "mostBytes" | "meter" | "onLog"> {
  readonly onRecord: (record: BuildRecord) => void;
  readonly now: () => Date;
}

/** A source that lies in a file here. */
export interface Brought {
  readonly kind: SourceKind | "dockerfile";
  readonly file_name: string;
  readonly open: () => Promise<Readable>;
  readonly usage: BuildUsage;
  release(): Promise<void>;
}

/** Fetches a source by its address. @throws BuildStopped */
export async function bringReferenced(reference: SourceReference, input: BringInput): Promise<Brought> {
  const source = remoteOf(reference);
  return brought(source, null, input, (first) => kindOf(source, first));
}

/** A zip as a tar: it is unpacked in a box. @throws BuildStopped */
export const bringZip = (body: () => Promise<Readable>, input: BringInput): Promise<Brought> =>
  brought({ kind: "zip" }, body, input, () => ({ kind: "tar", file_name: "" }));

async function brought(
  source: RemoteSource,
  body: (() => Promise<Readable>) | null,
  input: BringInput,
  kind: (first: Buffer) => Pick<Brought, "kind" | "file_name">,
): Promise<Brought> {
  const step = source.kind === "zip" ? "unpack" : "fetch";
  const records = new Records(input.onRecord, input.now);
  const meter = new Meter();
  records.start(step, nameOf(source));
  let fetched: Fetched | null = null;
  try {
    const onLog: Fetching["onLog"] = (stream, text) => records.log(step, text, stream);
    const fetching = { ...input, meter, onLog, mostBytes: LARGEST_BYTES };
    fetched = await fetchRemote(source, fetching, async () => false, body);
    const { file, head, release } = fetched;
    const { path, size_bytes } = file!;
    const is = kind(await firstBytes(path));
    records.done(step, [head.identity, `${size_bytes} bytes`].filter((text) => text !== null).join(", "));
    return { ...is, open: async () => createReadStream(path), usage: await meter.total(), release };
  } catch (error) {
    await fetched?.release();
    if (error instanceof BuildStopped) records.error(step, error.fault);
    throw error;
  }
}

function remoteOf(reference: SourceReference): RemoteSource {
  if (!("git" in reference)) {
    const git = readGitReference(reference.url);
    return git === null ? { kind: "http", url: reference.url } : { kind: "git", ...git, keep_git_dir: false };
  }
  const [remote, fragment = ""] = reference.git.split("#", 2);
  const [ref, folder = ""] = fragment.split(/:(.*)/s, 2);
  return { kind: "git", remote: remote!, ref: reference.ref ?? ref!, folder, keep_git_dir: false };
}

function kindOf(source: RemoteSource, first: Buffer): Pick<Brought, "kind" | "file_name"> {
  if (source.kind !== "http") return { kind: "tar", file_name: "" };
  const archive = sniffArchive(first);
  if (archive !== null) return { kind: archive, file_name: "" };
  const why = whyNoSource(first);
  if (why !== null) {
    throw new BuildStopped({ code: "unsupported_source", message: `what is at this address is ${why}` });
  }
  const name = basename(new URL(source.url).pathname);
  return MODULE.test(name) ? { kind: "module", file_name: name } : { kind: "dockerfile", file_name: "" };
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFFED_BYTES), 0, SNIFFED_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** Without name and password. */
function nameOf(source: RemoteSource): string {
  if (source.kind === "zip") return "zip";
  const url = URL.parse(source.kind === "http" ? source.url : source.remote);
  if (url === null) return "an address that cannot be read";
  url.username = "";
  url.password = "";
  return url.href;
}
