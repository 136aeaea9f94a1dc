import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { InstallRequest } from "../protocol.ts";
import { Failure } from "./failure.ts";
import type { Folder } from "./folder.ts";

const LOCKFILES = ["npm-shrinkwrap.json", "package-lock.json"];
/** Of other package managers: npm reads yarn's for versions, and no other. */
const FOREIGN_LOCKFILES = ["pnpm-lock.yaml", "bun.lock", "bun.lockb", "yarn.lock"];
const MOST_MANIFESTS = 1_000;

interface Manifest {
  readonly [member: string]: unknown;
  readonly dependencies?: object;
  readonly devDependencies?: object;
  readonly optionalDependencies?: object;
  readonly peerDependencies?: object;
}

/**
 * What npm has to be told to install a project's dependencies: where it starts (the folder with the lockfile, in a monorepo one above the
 * project), and every file that decides what is installed. Null when nothing is wanted, or when the source brings node_modules along.
 * @throws Failure when a package.json cannot be read
 */
export function dependenciesOf(project: string, folder: Folder): InstallRequest | null {
  const root = rootOf(project, folder);
  const folders = root === project ? [project] : [project, root];
  if (folders.some((path) => existsSync(join(path, "node_modules")))) return null;
  if (!folders.some(wantsSome)) return null;
  const inRoot = (name: string) => existsSync(join(root, name));
  const lockfile = LOCKFILES.find(inRoot) ?? null;
  const files = [...manifestsBelow(root, true)];
  if (files.length > MOST_MANIFESTS)
    throw new Failure(`the project has more than ${MOST_MANIFESTS} files named package.json`);
  return {
    root: relative(folder.root, root),
    lockfile,
    foreign_lockfile: lockfile === null ? (FOREIGN_LOCKFILES.find(inRoot) ?? null) : null,
    files: files.map((path) => relative(folder.root, path)),
  };
}

/** The nearest folder that has a lockfile or names workspaces, the project's own first. */
function rootOf(project: string, folder: Folder): string {
  for (let path = project; folder.contains(path); path = dirname(path)) {
    if (LOCKFILES.some((name) => existsSync(join(path, name))) || manifestIn(path)?.workspaces) return path;
  }
  return project;
}

function wantsSome(path: string): boolean {
  const manifest = manifestIn(path);
  if (manifest === null) return false;
  const { dependencies, optionalDependencies, workspaces } = manifest;
  return [dependencies, optionalDependencies].some((list) => Object.keys(list ?? {}).length > 0) || Boolean(workspaces);
}

/** A folder's package.json; null when there is none. @throws Failure */
export function manifestIn(path: string): Manifest | null {
  const file = join(path, "package.json");
  if (!existsSync(file)) return null;
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Manifest;
    throw new Error("it is no JSON object");
  } catch (error) {
    throw new Failure(`package.json cannot be read: ${(error as Error).message}`);
  }
}

/** In the root what is npm's; below it the manifests of workspaces, and packages that lie in the project as archives. */
function* manifestsBelow(path: string, isRoot: boolean): Generator<string> {
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const own = isRoot && [...LOCKFILES, "yarn.lock", ".npmrc"].includes(entry.name);
    const file = join(path, entry.name);
    if (entry.isFile() && (own || entry.name === "package.json" || entry.name.endsWith(".tgz"))) yield file;
    else if (entry.isDirectory() && entry.name !== "node_modules" && entry.name !== ".git")
      yield* manifestsBelow(file, false);
  }
}
