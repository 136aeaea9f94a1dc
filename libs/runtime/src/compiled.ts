import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { enableCompileCache, flushCompileCache } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { COMPILED_LIMITS } from "@mayfly/contract";
import { COMPILED_PATH } from "./index.ts";

/** A file that V8's code is kept in, by its path below COMPILED_PATH. */
export interface CompiledFile {
  readonly path: string;
  readonly contents: Uint8Array;
}

/**
 * Lets V8 take the code that it compiled when the image was built. It checks it against the source, its own version and its flags, and
 * compiles anew what does not fit (nodejs.org/api/module.html, Module compile cache).
 */
export function useCompiled(): null {
  if (existsSync(COMPILED_PATH)) enableCompileCache(COMPILED_PATH);
  return null;
}

/** From here on V8's code is kept; what is returned gives it, when the module has been loaded. */
export function keepCompiled(): () => CompiledFile[] {
  const keptIn = join(tmpdir(), "compiled");
  const { directory } = enableCompileCache(keptIn);
  if (directory === undefined) return () => []; // There is no room in /tmp: the module is compiled at each call.
  return () => {
    flushCompileCache();
    const files = readdirSync(keptIn, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    return largest(files)
      .sort()
      .map((file) => ({ path: relative(keptIn, file), contents: readFileSync(file) }));
  };
}

/** As many as may be kept; small modules are compiled at each call. */
function largest(files: readonly string[]): string[] {
  const sized = files.map((file) => ({ file, size: statSync(file).size })).sort((a, b) => b.size - a.size);
  let left = COMPILED_LIMITS.bytes;
  const kept = sized.slice(0, COMPILED_LIMITS.files).filter(({ size }) => {
    const fits = size <= left;
    if (fits) left -= size;
    return fits;
  });
  return kept.map(({ file }) => file);
}
