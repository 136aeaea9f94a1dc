import { resolve } from "node:path";
import type { Plugin } from "esbuild";
import type { Folder } from "./folder.ts";
import { foreignMap } from "./source-maps.ts";

/** What esbuild looks for source maps in. */
const MAPPED = /\.([mc]?[jt]s|[jt]sx|css)$/;

/** A source may import what it came with and what Node has; not what else lies on the disk it is built on. */
export function stayInside(folder: Folder): Plugin {
  const refusal = (path: string) => ({ errors: [{ text: `${JSON.stringify(path)} is outside of the project` }] });
  return {
    name: "stay-inside",
    setup(build) {
      build.onResolve({ filter: /^(\/|\.\.?(\/|$)|file:)/ }, async (args) => {
        if (args.pluginData === build || args.kind === "entry-point") return null;
        const path = args.path.replace(/^file:\/\//, "");
        // Each build.resolve reads folders anew: where the words stay inside, whether the file does is seen when it is loaded.
        const at = resolve(args.resolveDir, path);
        if (args.path.startsWith(".") && folder.contains(at)) return folder.leadsOut(at) ? refusal(args.path) : null;
        const found = await build.resolve(path, {
          kind: args.kind,
          importer: args.importer,
          resolveDir: args.resolveDir,
          pluginData: build,
          with: args.with,
        });
        if (found.errors.length > 0 && !path.startsWith("/")) return { errors: found.errors };
        if (found.path !== "" && folder.reallyContains(found.path)) return found;
        return refusal(args.path);
      });
      // Whatever way it was found: by a package's manifest, by a path of tsconfig.json, by a pattern.
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => {
        if (!folder.reallyContains(path)) return refusal(path);
        const map = MAPPED.test(path) ? foreignMap(path, folder) : null;
        return map === null ? null : refusal(map);
      });
    },
  };
}
