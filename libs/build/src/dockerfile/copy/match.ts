import { type FileTree, join } from "../files/file-tree.ts";
import { Glob, hasWildcards } from "../ignore/glob.ts";
import { DockerfileError } from "../source/failure.ts";

/**
 * What a source of COPY stands for in the tree that it is of: one path, or all that match its wildcards, those of the last folder without
 * links followed. A wildcard may match nothing. @returns paths as they are written, links not followed
 * @throws DockerfileError for what is not there
 */
export function matchesOf(pattern: string, tree: FileTree): string[] {
  const parts = pattern.split("/").filter((part) => part !== "");
  const first = parts.findIndex(hasWildcards);
  if (first === -1) {
    const path = parts.join("/");
    if (!tree.at(tree.resolve(path))) throw notFound(path);
    return [path];
  }
  const folder = tree.resolve(parts.slice(0, first).join("/"));
  if (!tree.at(folder)) throw notFound(folder);
  const glob = new Glob(parts.slice(first).join("/"));
  return [...below(folder, "", glob, tree)];
}

const notFound = (path: string) => new DockerfileError(`"/${path}": not found`);

/** A folder that matches is taken whole: nothing in it is looked at. */
function* below(folder: string, relative: string, glob: Glob, tree: FileTree): Generator<string> {
  for (const name of tree.names(folder)) {
    const path = join(folder, name);
    const shown = join(relative, name);
    if (glob.matches(shown)) yield path;
    else if (tree.at(path)!.type === "directory") yield* below(path, shown, glob, tree);
  }
}
