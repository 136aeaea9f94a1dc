import { createHash } from "node:crypto";
import type { Digest } from "@mayfly/contract";
import { ImageError, type ImageErrorReason } from "@mayfly/image";
import { matchesOf } from "../copy/match.ts";
import { Placer } from "../copy/place.ts";
import type { Contents } from "../files/contents.ts";
import { type FileNode, FileTree, join } from "../files/file-tree.ts";
import type { Listed } from "../files/listing.ts";
import { hasWildcards } from "../ignore/glob.ts";
import { Ignore } from "../ignore/matcher.ts";
import { cleanPath } from "../plan/paths.ts";
import type { CopySource, CopyStep, WorkdirStep } from "../plan/step.ts";
import { DockerfileError } from "../source/failure.ts";
import { makerIn, ownerIn } from "./accounts.ts";
import type { RemoteOrigin } from "./remote.ts";
import type { StageFiles } from "./stage-files.ts";

/** What is wrong with what an archive holds, not with where it lies. */
const OF_ARCHIVES: readonly ImageErrorReason[] = ["corrupt", "refused", "unsupported"];

type PathSource = Extract<CopySource, { readonly kind: "path" }>;

export interface PlacedFiles {
  readonly tree: FileTree;
  readonly paths: readonly string[];
}

export interface CopyParts {
  readonly contents: Contents;
  /** The files that a source is of. */
  readonly filesOf: (source: PathSource) => Promise<FileTree>;
  /** Fetches what lies outside. */
  readonly remoteOf: (source: RemoteOrigin) => Promise<FileTree>;
  readonly now_s: number;
}

/** Carries out a COPY or ADD on names and attributes: which files are to be where. @throws DockerfileError */
export async function placeCopy(step: CopyStep, below: StageFiles, parts: CopyParts): Promise<PlacedFiles> {
  // A user or a group of no name is root's.
  const chown = step.chown?.replace(/^:/, "0:").replace(/:$/, ":0") ?? null;
  const owner = chown === null ? null : await ownerIn(chown, below.tree, parts.contents);
  // With --link nothing of what is below is looked at.
  const tree = step.link ? new FileTree() : below.tree.clone();
  const exclude = step.exclude.length === 0 ? null : new Ignore(step.exclude);
  const shared = { owner, chmod: step.chmod, exclude, now_s: parts.now_s };
  const put = new Set<string>();
  if (step.sources.length > 1 && !step.destination.endsWith("/")) await requireFolder(step, tree, parts);
  for (const source of step.sources) {
    const keep = source.kind === "path" && source.keep !== null ? new Ignore([source.keep]) : null;
    const placer = new Placer(tree, { ...shared, keep });
    await placeSource(placer, source, step, parts);
    for (const path of placer.paths) put.add(path);
  }
  return { tree, paths: [...put].filter((path) => tree.at(path)) };
}

/**
 * Files of several sources need a folder to go to; one that is there will do, and folders are laid over each other. BuildKit lets the last
 * file take the place of the others, which nobody can have meant; Docker's documentation asks for the slash.
 */
async function requireFolder(
  { kind, destination, sources }: CopyStep,
  tree: FileTree,
  parts: CopyParts,
): Promise<void> {
  if (tree.at(tree.resolve(destination))?.type === "directory") return;
  for (const source of sources) {
    if (source.kind === "path" && (hasWildcards(source.pattern) || (await isFolder(source, parts)))) continue;
    throw new DockerfileError(
      `when using ${kind.toUpperCase()} with more than one source file, the destination must be a directory and end with a /`,
    );
  }
}

async function isFolder(source: PathSource, { filesOf }: CopyParts): Promise<boolean> {
  const from = await filesOf(source);
  return from.at(from.resolve(source.pattern))?.type === "directory";
}

async function placeSource(placer: Placer, source: CopySource, step: CopyStep, parts: CopyParts): Promise<void> {
  switch (source.kind) {
    case "inline": {
      const bytes = Buffer.from(source.file.content);
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}` as Digest;
      const attributes = { mode: 0o644, uid: 0, gid: 0, mtime_s: parts.now_s, mtime_ns: 0, xattrs: {} };
      const node = {
        type: "file",
        path: source.file.name,
        ...attributes,
        size_bytes: bytes.byteLength,
        digest,
      } as const;
      placer.putFile(source.file.name, { ...node, source: { bytes } }, step.destination);
      return;
    }
    case "path":
      return placePath(placer, source, step, parts);
    default:
      return placeRemote(placer, source, step, parts);
  }
}

async function placeRemote(
  placer: Placer,
  source: RemoteOrigin,
  { destination }: CopyStep,
  { contents, remoteOf }: CopyParts,
): Promise<void> {
  const from = await remoteOf(source);
  if (source.kind === "git") return placer.copy(from, "", destination);
  const node = from.at(source.name)!;
  const archive = source.unpack ? await contents.archive(node.source!) : null;
  if (archive) placer.unpack(archive, node.source!, destination);
  else placer.copy(from, source.name, destination);
}

async function placePath(
  placer: Placer,
  source: PathSource,
  step: CopyStep,
  { contents, filesOf }: CopyParts,
): Promise<void> {
  const from = await filesOf(source);
  const matches = matchesOf(source.pattern, from);
  requireKept(source, matches, from);
  for (const match of matches) {
    const node = from.at(from.resolve(match));
    // A link to nothing that a wildcard finds is refused by who copies it.
    const archive = source.unpack && node?.type === "file" ? await archiveIn(node, match, contents) : null;
    if (archive) placer.unpack(archive, node!.source!, step.destination);
    else placer.copy(from, match, step.destination);
    placer.nextSource();
  }
}

/** What is in a file that is an archive; null when it is none. @throws DockerfileError for one that is broken or holds what none may */
async function archiveIn({ source }: FileNode, path: string, contents: Contents): Promise<readonly Listed[] | null> {
  try {
    return await contents.archive(source!);
  } catch (error) {
    if (!(error instanceof ImageError) || !OF_ARCHIVES.includes(error.reason)) throw error;
    throw new DockerfileError(`cannot unpack "/${path}": ${error.message}`);
  }
}

/** What `--parents` names without wildcards has to be there, as without it. @throws DockerfileError */
function requireKept({ pattern, keep }: PathSource, matches: readonly string[], from: FileTree): void {
  if (keep === null || hasWildcards(keep)) return;
  if (matches.some((match) => from.at(from.resolve(join(match, keep))))) return;
  throw new DockerfileError(`"${cleanPath(`${pattern}/${keep}`)}": not found`);
}

/** Carries out a WORKDIR: the folders that are not there yet, owned by the user of that moment. @throws DockerfileError */
export async function placeWorkdir(
  step: WorkdirStep,
  below: StageFiles,
  { contents, now_s }: Pick<CopyParts, "contents" | "now_s">,
): Promise<PlacedFiles> {
  const tree = below.tree.clone();
  const owner = step.user === "" ? null : await makerIn(step.user, tree, contents);
  const placer = new Placer(tree, { owner, chmod: null, exclude: null, keep: null, now_s });
  placer.makeFolder(cleanPath(step.path));
  return { tree, paths: placer.paths };
}
