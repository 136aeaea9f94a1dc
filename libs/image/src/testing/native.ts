import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../native");
const BUILD = join(import.meta.dirname, "../../../../build");

interface Kind {
  readonly sanitize?: true;
}

export const builtLayerTree = (kind: Kind = {}): string => join(built(kind), "layer-tree");
export const builtCage = (): string => join(built({}), "courier-cage");

/** For tests: the folder of what the sources as they are make, built once for each state of them. */
function built(options: Kind): string {
  const kind = options.sanitize ? "sanitized" : "plain";
  const out = join(BUILD, `layer-tree-${kind}`, digestOfSources());
  if (!existsSync(out)) {
    rmSync(join(BUILD, `layer-tree-${kind}`), { recursive: true, force: true });
    mkdirSync(join(BUILD, `layer-tree-${kind}`), { recursive: true });
    const making = mkdtempSync(join(BUILD, `layer-tree-${kind}`, "making-"));
    execFileSync("sh", [join(SOURCES, "build.sh"), making, ...(options.sanitize ? ["--sanitize"] : [])]);
    renameSync(making, out);
  }
  return out;
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const entry of readdirSync(SOURCES, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest("hex").slice(0, 16);
}
