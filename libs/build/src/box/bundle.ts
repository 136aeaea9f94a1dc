import { join, relative } from "node:path";
import { type BuildFailure, build } from "esbuild";
import { Diagnosis } from "./diagnosis.ts";
import type { Folder } from "./folder.ts";
import { keepPackages } from "./kept-packages.ts";
import { filesOfPackages } from "./package-folder.ts";
import { withoutForeignContent } from "./source-maps.ts";
import { stayInside } from "./stay-inside.ts";

/** A file that goes below /app. */
export interface BundledFile {
  readonly path: string;
  /** Its bytes, or the path of the file that has them. */
  readonly content: Uint8Array | string;
  readonly size_bytes: number;
  readonly executable: boolean;
}

/**
 * One module with all it imports, its source map, and the packages that work only where they lie.
 * @throws Failure with the places where the source does not compile
 */
export async function bundle(
  project: string,
  entry: string,
  folder: Folder,
): Promise<{ files: BundledFile[]; warnings: string[] }> {
  const kept = new Set<string>();
  for (;;) {
    const before = kept.size;
    const bundled = await attempt(project, entry, folder, kept).catch((error: unknown) => {
      // What of a package cannot be bundled may be no part of the bundle the next time.
      if (kept.size === before) throw error;
      return null;
    });
    if (bundled !== null && kept.size === before)
      return { ...bundled, files: [...bundled.files, ...filesOfPackages(kept)] };
  }
}

async function attempt(
  project: string,
  entry: string,
  folder: Folder,
  kept: Set<string>,
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
      loader: { ".txt": "text", ".html": "text", ".md": "text", ".sql": "text", ".wasm": "binary", ".node": "copy" },
      plugins: [keepPackages(kept, project), stayInside(folder)],
    });
    return {
      files: result.outputFiles.map(({ path, contents }) => {
        const content = path.endsWith(".map") ? withoutForeignContent(contents, project, folder) : contents;
        return { path: relative(project, path), content, size_bytes: content.byteLength, executable: false };
      }),
      warnings: result.warnings.map((warning) => diagnosis.line(warning)),
    };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw diagnosis.failure(error.errors);
  }
}

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
