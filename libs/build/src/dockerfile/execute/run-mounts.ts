import type { Digest } from "@mayfly/contract";
import type { FileTree } from "../files/file-tree.ts";
import type { Origin, PlannedMount } from "../plan/step.ts";
import { DockerfileError } from "../source/failure.ts";
import type { RunMount } from "./ports.ts";
import type { StepParts } from "./step.ts";

/** A mount whose files and whose place are known. */
export interface FoundMount {
  /** What of it makes two RUNs different: of bound files the content, of caches and secrets only what they are called. */
  readonly identity: unknown;
  /** Through no link; null: it is nowhere. */
  readonly target: string | null;
  readonly isFolder: boolean;
  readonly mount: PlannedMount;
  /** A place in the origin's files, through no link. */
  readonly source: string;
  /** Of a secret that is there. */
  readonly secret: Uint8Array | null;
}

/** Where the box has what is its own. */
const OURS = /^(?:proc)(?:\/|$)/;

/** Ids that a box has. */
export const HIGHEST_ID = 65_535;

/** What the mounts of a RUN bring, those first that others may lie in. @throws DockerfileError for what is not there or not possible */
export async function findMounts(
  mounts: readonly PlannedMount[],
  tree: FileTree,
  parts: Pick<StepParts, "treeOf" | "secrets">,
): Promise<FoundMount[]> {
  const found: FoundMount[] = [];
  for (const mount of mounts) {
    const one = await findMount(mount, tree, parts);
    if (one) found.push(one);
  }
  const depth = ({ target }: FoundMount) => (target ?? "").split("/").length;
  return found.sort((a, b) => depth(a) - depth(b));
}

async function findMount(
  mount: PlannedMount,
  tree: FileTree,
  { treeOf, secrets }: Pick<StepParts, "treeOf" | "secrets">,
): Promise<FoundMount | null> {
  const target = mount.target === "" ? null : tree.resolve(mount.target);
  if (target !== null && OURS.test(target))
    throw new DockerfileError(`nothing can be mounted at "/${target}": /proc is the box's own`);
  for (const id of [mount.uid, mount.gid])
    if (id !== null && id > HIGHEST_ID)
      throw new DockerfileError(`a mount for the id ${id} is not possible: programs have the ids 0 to ${HIGHEST_ID}`);
  const { origin, ...rest } = mount;
  const common = { mount, target, source: "/", secret: null };
  switch (mount.type) {
    case "ssh":
      throw new DockerfileError(
        "RUN --mount=type=ssh is not possible here: no agent is forwarded; give a key as a secret instead",
      );
    case "secret": {
      const secret = secrets.get(mount.id) ?? null;
      if (secret === null && mount.required) throw new DockerfileError(`secret ${mount.id}: not found`);
      return secret && { ...common, secret, isFolder: false, identity: { ...rest, origin: origin.kind } };
    }
    case "tmpfs":
      return { ...common, isFolder: true, identity: { ...rest, origin: origin.kind } };
    case "bind":
    case "cache": {
      if (origin.kind === "scratch" && mount.source !== "" && mount.source !== "/")
        throw new DockerfileError(`"${mount.source}": not found: the ${mount.type} mount has no from`);
      const files = await filesOf(mount, origin, treeOf);
      return { ...common, ...files, identity: { ...rest, origin: origin.kind, files: files.identity } };
    }
  }
}

async function filesOf(
  { source }: PlannedMount,
  origin: Origin,
  treeOf: StepParts["treeOf"],
): Promise<Pick<FoundMount, "source" | "isFolder" | "identity">> {
  const files = await treeOf(origin);
  const root = files.resolve(source);
  const node = files.at(root);
  if (!node) throw new DockerfileError(`"/${root}": not found`);
  return { source: `/${root}`, isFolder: node.type === "directory", identity: contentOf(files, root) };
}

/** All that is below a path, times aside. */
function contentOf(tree: FileTree, root: string): unknown[] {
  const files: unknown[] = [];
  const walk = (path: string) => {
    const { mtime_s: _, mtime_ns: __, source: ___, ...node } = { source: undefined, ...tree.at(path)! };
    files.push(node);
    for (const name of tree.names(path)) walk(path === "" ? name : `${path}/${name}`);
  };
  walk(root);
  return files;
}

/** Variables that secrets are given in. Part of no key. */
export function secretVariables(found: readonly FoundMount[]): string[] {
  return found.flatMap(({ mount, secret }) => {
    if (secret === null || mount.env === null) return [];
    const value = Buffer.from(secret).toString();
    if (value.includes("\0"))
      throw new DockerfileError(`secret ${mount.id}: a variable cannot hold it, for it has a NUL byte`);
    return [`${mount.env}=${value}`];
  });
}

/** As the runner wants them: files unpacked. */
export async function runMounts(
  found: readonly FoundMount[],
  parts: Pick<StepParts, "imageOf" | "store">,
): Promise<RunMount[]> {
  const mounts: RunMount[] = [];
  for (const one of found) if (one.target !== null) mounts.push(await runMount(one, `/${one.target}`, parts));
  return mounts;
}

async function runMount(
  { mount, source, secret }: FoundMount,
  target: string,
  { imageOf, store }: Pick<StepParts, "imageOf" | "store">,
): Promise<RunMount> {
  const owned = { mode: mount.mode, uid: mount.uid ?? 0, gid: mount.gid ?? 0 };
  const below = async (): Promise<{ image: Digest | null; lower: readonly string[] }> => {
    const image = mount.origin.kind === "scratch" ? null : await imageOf(mount.origin);
    return { image, lower: image === null ? [] : (await store.rootfs(image)).lower };
  };
  switch (mount.type) {
    case "secret":
      return { type: "secret", target, content: secret!, ...owned, mode: mount.mode ?? 0o400 };
    case "tmpfs":
      return { type: "tmpfs", target, size_bytes: mount.size_bytes };
    case "cache": {
      const { image, lower } = await below();
      const { id, sharing, read_only } = mount;
      return {
        type: "cache",
        target,
        id,
        sharing: sharing ?? "shared",
        read_only,
        base: image,
        lower,
        source,
        ...owned,
      };
    }
    default:
      return { type: "bind", target, lower: (await below()).lower, source, read_only: mount.read_only };
  }
}
