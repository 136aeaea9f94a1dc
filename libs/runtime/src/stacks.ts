import { readFileSync } from "node:fs";
import { SourceMap, type SourceMapPayload } from "node:module";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** A comment at the end of a module: its map lies beside it, or in the comment. */
const NAMED = /\/\/# sourceMappingURL=(\S+)\s*$/;
const INLINE = /^data:application\/json[^,]*;base64,/;

/** By file of a frame; null: it has no map. */
const maps = new Map<string, SourceMap | null>();

/**
 * From here on stacks name the lines that the user wrote. Node's own support for source maps reads each map when its module is loaded,
 * which for a map of 1.5 MB takes 50 ms; here a map is read when a stack is first looked at.
 */
export function mapStacks(): void {
  Error.prepareStackTrace = (error, frames) =>
    [title(error), ...frames.map((frame) => `    at ${mapped(frame)}`)].join("\n");
}

/** As V8 does it. */
function title(error: unknown): string {
  try {
    return Error.prototype.toString.call(error);
  } catch {
    return "<error>";
  }
}

function mapped(frame: NodeJS.CallSite): string {
  const [file, line, column] = [frame.getFileName(), frame.getLineNumber(), frame.getColumnNumber()];
  const text = String(frame);
  if (!file || line === null || column === null) return text;
  const path = file.startsWith("file://") ? fileURLToPath(file) : file;
  const origin = mapOf(path)?.findOrigin(line, column);
  if (!origin || !("fileName" in origin)) return text;
  const source = resolve(dirname(path), origin.fileName);
  return text.replace(`${file}:${line}:${column}`, `${source}:${origin.lineNumber}:${origin.columnNumber}`);
}

function mapOf(path: string): SourceMap | null {
  const known = maps.get(path);
  if (known !== undefined) return known;
  let map: SourceMap | null = null;
  try {
    map = path.startsWith("/") ? readMap(path) : null;
  } catch {
    // It cannot be read, or is none: the stack names the lines of the bundle.
  }
  maps.set(path, map);
  return map;
}

function readMap(path: string): SourceMap | null {
  const url = NAMED.exec(readFileSync(path, "utf8"))?.[1];
  if (url === undefined) return null;
  const json = INLINE.test(url)
    ? Buffer.from(url.replace(INLINE, ""), "base64").toString()
    : readFileSync(resolve(dirname(path), url), "utf8");
  return new SourceMap(JSON.parse(json) as SourceMapPayload);
}
