import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import type { BundledFile } from "./bundle.ts";

/** What is bundled, or only says how. */
const NO_ASSET =
  /(\.[cm]?[jt]sx?|\.map|^package\.json|^package-lock\.json|^npm-shrinkwrap\.json|^yarn\.lock|^pnpm-.*\.yaml|^tsconfig.*\.json|\.tgz)$/;

/** The files of a project that its code may read while it runs: they keep their places, below /app. Hidden ones stay out. */
export const assetsOf = (project: string): BundledFile[] =>
  [...filesBelow(project)].map((from) => {
    const { size, mode } = statSync(from);
    return { path: relative(project, from), content: from, size_bytes: size, executable: (mode & 0o100) !== 0 };
  });

function* filesBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile() && !NO_ASSET.test(entry.name)) yield path;
  }
}
