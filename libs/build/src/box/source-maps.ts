import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Folder } from "./folder.ts";

/**
 * esbuild follows the source maps of what it bundles by itself, past every plugin: it reads the map that a comment names, and the
 * sources that a map names without their content. Both may lie outside of the project.
 */

/** The first map outside of the project that a module's comments name; null when there is none. */
export function foreignMap(path: string, folder: Folder): string | null {
  const named = readFileSync(path, "utf8").matchAll(/sourceMappingURL=([^\s'"]+)/g);
  for (const [, url] of named) if (isForeign(dirname(path), url!, folder)) return url!;
  return null;
}

/** The bundle's map without the content of files outside of the project. */
export function withoutForeignContent(contents: Uint8Array, project: string, folder: Folder): Uint8Array {
  const map = JSON.parse(Buffer.from(contents).toString()) as { sources: string[]; sourcesContent: (string | null)[] };
  const foreign = map.sources.map((source) => isForeign(project, source, folder));
  if (!foreign.includes(true)) return contents;
  const sourcesContent = map.sourcesContent.map((content, i) => (foreign[i] ? null : content));
  return Buffer.from(JSON.stringify({ ...map, sourcesContent }));
}

/** Whether a file is there and not ours, however the address is read: as it is written, or with its escapes resolved. */
function isForeign(base: string, url: string, folder: Folder): boolean {
  if (/^(?!file:)[a-z][a-z0-9+.-]*:/i.test(url)) return false;
  const path = url.replace(/^file:(\/\/)?/i, "");
  return [path, unescaped(path), path.replace(/[?#].*$/s, ""), unescaped(path.replace(/[?#].*$/s, ""))]
    .filter((name) => !name.includes("\0"))
    .map((name) => resolve(base, name))
    .some((name) => existsSync(name) && !folder.reallyContains(name));
}

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
