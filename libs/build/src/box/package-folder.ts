import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { BundledFile } from "./bundle.ts";
import { Failure } from "./failure.ts";
import { manifestIn } from "./manifests.ts";

const IN_PACKAGE = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)(?:\/|$)/;
/** Read by people and compilers, never by a program. */
const LEFT_OUT = /\.(d\.[cm]?ts|map)$/;

/** The folder of the installed package that a file belongs to; null for files of the project itself. */
export const packageOf = (file: string): string | null => IN_PACKAGE.exec(file)?.[1] ?? null;

/**
 * Packages as they are, with all that they depend on, to lie in `node_modules` beside a bundle.
 * @throws Failure when two of them would have to lie in the same place
 */
export function filesOfPackages(packages: Iterable<string>): BundledFile[] {
  const places = new Map<string, string>();
  const take = (folder: string): void => {
    const place = placeOf(folder);
    const there = places.get(place);
    if (there === folder) return;
    if (there !== undefined)
      throw new Failure(`${there} and ${folder} would both have to be ${place} beside the bundle`, {
        hint: "use one version of this package in all of the project",
      });
    places.set(place, folder);
    for (const name of neededBy(folder)) {
      const needed = lookUp(name, folder);
      if (needed !== null) take(needed);
    }
  };
  for (const folder of packages) take(folder);
  return [...places].flatMap(([place, folder]) =>
    [...filesBelow(folder)].map((from) => {
      const { size, mode } = statSync(from);
      return {
        path: join(place, relative(folder, from)),
        content: from,
        size_bytes: size,
        executable: (mode & 0o100) !== 0,
      };
    }),
  );
}

/** `node_modules/a/node_modules/b`, wherever in the project or above it the first of them lies. */
const placeOf = (folder: string): string => folder.slice(folder.indexOf("/node_modules/") + 1);

/** Whether a package is the one that the project itself, or a bundle in its place, finds by its name. */
export const isFirst = (folder: string, project: string): boolean => lookUp(nameOf(folder), project) === folder;

const nameOf = (folder: string): string => folder.slice(folder.lastIndexOf("/node_modules/") + "/node_modules/".length);

function neededBy(folder: string): string[] {
  const { dependencies, optionalDependencies, peerDependencies } = manifestIn(folder) ?? {};
  return [dependencies, optionalDependencies, peerDependencies].flatMap((list) => Object.keys(list ?? {}));
}

/** As Node looks for it: in the package's own node_modules, then in those above. Optional ones may be nowhere. */
function lookUp(name: string, from: string): string | null {
  for (let path = from; path !== dirname(path); path = dirname(path)) {
    const found = join(path, "node_modules", name);
    if (existsSync(found)) return found;
  }
  return null;
}

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules") yield* filesBelow(path);
    else if (entry.isFile() && !LEFT_OUT.test(entry.name)) yield path;
  }
}
