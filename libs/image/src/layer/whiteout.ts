import { type OpaqueEntry, refused, type WhiteoutEntry } from "./entry.ts";

const PREFIX = ".wh.";
const OPAQUE = ".wh..wh..opq";

/**
 * What a name in a layer's tar means besides itself (OCI image spec, layer.md, "Whiteouts"): null for nothing.
 * Other names in `.wh..wh.` are bookkeeping of aufs, which had these files before OCI had them; they are skipped, as everywhere.
 */
export function whiteoutOf(path: string, type: string): WhiteoutEntry | OpaqueEntry | "skipped" | null {
  if (!path.includes(PREFIX)) return null;
  const names = path.split("/");
  const name = names.pop()!;
  const folder = names.join("/");
  if ([...names, name].some((part) => part.startsWith(".wh..wh.") && part !== OPAQUE)) return "skipped";
  if (names.some((part) => part.startsWith(PREFIX))) throw refused(path, "it lies below a whiteout");
  if (!name.startsWith(PREFIX)) return null;
  if (type === "5") throw refused(path, "it is a folder, and its name is a whiteout's");
  if (name === OPAQUE) return { type: "opaque", path: folder };
  const hidden = name.slice(PREFIX.length);
  if (hidden === "" || hidden === "." || hidden === "..") throw refused(path, "the whiteout names nothing");
  return { type: "whiteout", path: folder === "" ? hidden : `${folder}/${hidden}` };
}

/** The name under which the entry stands in a tar. */
export function whiteoutName({ type, path }: WhiteoutEntry | OpaqueEntry): string {
  if (type === "opaque") return path === "" ? OPAQUE : `${path}/${OPAQUE}`;
  const slash = path.lastIndexOf("/") + 1;
  return `${path.slice(0, slash)}${PREFIX}${path.slice(slash)}`;
}
