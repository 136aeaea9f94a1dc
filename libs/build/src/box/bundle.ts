import { dirname, join, relative } from "node:path";
import type { SourceLocation } from "@mayfly/contract";
import { type BuildFailure, build, type Message, type OutputFile, type Plugin } from "esbuild";
import { Failure } from "./failure.ts";
import type { Folder } from "./folder.ts";

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
  const outfile = join(project, "index.mjs");
  try {
    const result = await build({
      entryPoints: [join(project, entry)],
      outfile,
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
      sourcemap: "linked",
      sourcesContent: true,
      charset: "utf8",
      logLevel: "silent",
      loader: { ".txt": "text", ".html": "text", ".md": "text", ".sql": "text", ".wasm": "binary" },
      plugins: [stayInside(folder)],
    });
    return { files: result.outputFiles.map((file) => toFile(file, outfile)), warnings: result.warnings.map(oneLine) };
  } catch (error) {
    if (!isBuildFailure(error)) throw error;
    throw failure(error.errors, project);
  }
}

/** A source may import what it came with and what Node has; not what else lies on the disk it is built on. */
function stayInside(folder: Folder): Plugin {
  return {
    name: "stay-inside",
    setup(build) {
      build.onResolve({ filter: /^(\/|\.\.?(\/|$)|file:)/ }, async (args) => {
        if (args.pluginData === build || args.kind === "entry-point") return null;
        const path = args.path.replace(/^file:\/\//, "");
        const found = await build.resolve(path, {
          kind: args.kind,
          importer: args.importer,
          resolveDir: args.resolveDir,
          pluginData: build,
          with: args.with,
        });
        if (found.errors.length > 0 && !path.startsWith("/")) return { errors: found.errors };
        if (found.path !== "" && folder.reallyContains(found.path)) return found;
        return { errors: [{ text: `${JSON.stringify(args.path)} is outside of the project` }] };
      });
      build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) =>
        folder.reallyContains(path)
          ? null
          : { errors: [{ text: `${JSON.stringify(path)} is outside of the project` }] },
      );
    },
  };
}

const toFile = (file: OutputFile, outfile: string): BundledFile => ({
  path: relative(dirname(outfile), file.path),
  contents: file.contents,
});

function failure(errors: readonly Message[], project: string): Failure {
  const locations = errors
    .slice(0, 10)
    .map((error) => toLocation(error, project))
    .filter((location) => location !== null);
  const first = errors[0]!;
  const bare = /^Could not resolve "([^./][^"]*)"/.exec(first.text)?.[1];
  const hint = bare
    ? `dependencies are not installed from package.json in this version: vendor ${bare} into node_modules, or bundle it before`
    : undefined;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const where = locations[0] ? `${locations[0].file}:${locations[0].line}:${locations[0].column}: ` : "";
  return new Failure(`${where}${first.text}${more}`, { locations, ...(hint ? { hint } : {}) });
}

function toLocation({ text, location }: Message, project: string): SourceLocation | null {
  if (!location) return null;
  const file = relative(project, join(project, location.file));
  const caret = `${" ".repeat(location.column)}${"^".repeat(Math.max(1, Math.min(location.length, 80)))}`;
  const number = String(location.line);
  return {
    file,
    line: location.line,
    column: location.column + 1,
    message: text,
    excerpt: `${number} | ${location.lineText}\n${" ".repeat(number.length)} | ${caret}`,
  };
}

const oneLine = ({ text, location }: Message): string =>
  location ? `${location.file}:${location.line}: ${text}` : text;

const isBuildFailure = (error: unknown): error is BuildFailure =>
  error instanceof Error && Array.isArray((error as Partial<BuildFailure>).errors);
