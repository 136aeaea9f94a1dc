import { readFileSync } from "node:fs";
import type { Plugin } from "esbuild";
import { isFirst, packageOf } from "./package-folder.ts";

/** What a module says that looks for files beside itself, which a bundle has not. */
const LOOKS_BESIDE_ITSELF =
  /\b__(dirname|filename)\b|\bimport\.meta\.(url|dirname|filename|resolve)\b|\brequire\.resolve\b/;
/** Who asks one of these for an addon is found by the place it lies in. */
const ADDON_LOADERS = [
  "bindings",
  "node-gyp-build",
  "@mapbox/node-pre-gyp",
  "node-pre-gyp",
  "node-gyp-build-optional-packages",
];
/** Names of packages; what begins like an address is none. */
const BARE = /^[^./:]+(\/|$)/;

/**
 * Finds the installed packages that work only where they lie: those with native addons, and those that read files beside themselves.
 * They are left out of the bundle and go to `node_modules` beside it. Which they are is known when all modules were read: bundle again
 * with `kept` until it has grown no more.
 */
export function keepPackages(kept: Set<string>, project: string): Plugin {
  const looked = {};
  const keepFor = (file: string) => {
    const folder = packageOf(file);
    if (folder !== null) kept.add(folder);
  };
  return {
    name: "keep-packages",
    setup(build) {
      build.onResolve({ filter: BARE }, async ({ path, pluginData, kind, importer, resolveDir, with: attributes }) => {
        if (pluginData === looked || kind === "entry-point") return null;
        if (ADDON_LOADERS.includes(path)) keepFor(importer);
        const found = await build.resolve(path, { kind, importer, resolveDir, pluginData: looked, with: attributes });
        const from = packageOf(importer);
        // A package may name another that is there for some of its users only: who reaches that line is told by Node.
        if (found.errors.length > 0) return from === null ? null : { path, external: true };
        const of = packageOf(found.path);
        if (of === null || !kept.has(of)) return null;
        // From the bundle's place another version would be found.
        if (!isFirst(of, project)) keepFor(importer);
        return { path, external: true };
      });
      build.onLoad({ filter: /\.node$/, namespace: "file" }, ({ path }) => {
        keepFor(path);
        // The package will be left out as a whole; an addon of the project's own is copied.
        return packageOf(path) === null ? null : { contents: "", loader: "empty" };
      });
      build.onLoad({ filter: /\.[cm]?js$/, namespace: "file" }, ({ path }) => {
        const folder = packageOf(path);
        if (folder !== null && !kept.has(folder) && LOOKS_BESIDE_ITSELF.test(readFileSync(path, "utf8")))
          kept.add(folder);
        return null;
      });
    },
  };
}
