import { join, relative } from "node:path";
import { type BuildFailure, build } from "esbuild";
import { Diagnosis } from "./diagnosis.ts";
import type { Folder } from "./folder.ts";
import { withoutForeignContent } from "./source-maps.ts";
import { stayInside } from "./stay-inside.ts";

export interface BundledFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/** One module with all it imports, and its source map. @throws Failure with the places where the source does not compile */
export async function bundle(
  project: string,
  entry: string,
  folder: Folder,
): Promise<{ files: BundledFile[]; warnings: string[] }> {
  const diagnosis = new Diagnosis(project, folder);
  try {
    const result = await build({
      entryPoints: [join(project, entry)],
      outfile: join(project, "index.mjs"),
      // Beside the sources, so that the map names them as the user does; nothing is written there.
      write: false,
      allowOverwrite: true,
      absWorkingDir: project,
      bundle: true,
      platform: "node",
      format: "esm",
      target: "node24",
      jsx: "automatic",
      keepNames: true,
      // CommonJS modules know where they are; in the bundle they are all in the same place.
      define: { __filename: '"/app/index.mjs"', __dirname: '"/app"' },
      sourcemap: "linked",
      sourcesContent: true,
      charset: "utf8",
      logLevel: "silent",
      loader: { ".txt": "text", ".html": "text", ".md": "text", ".sql": "text", ".wasm": "binary" },
      plugins: [stayInside(folder)],
    });
    return {
      files: result.outputFiles.map(({ path, contents }) => ({
        path: relative(project, path),
        contents: path.endsWith(".map") ? withoutForeignContent(contents, project, folder) : contents,
      })),
      warnings: result.warnings.map((warning) => diagnosis.line(warning)),
    };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw diagnosis.failure(error.errors);
  }
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
