import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../native");
const BUILD = join(import.meta.dirname, "../../../../build");

/** For tests: layer-tree of the sources as they are, built once for each state of them. */
export function builtLayerTree(options: { readonly sanitize?: true } = {}): string {
  const kind = options.sanitize ? "sanitized" : "plain";
  const out = join(BUILD, `layer-tree-${kind}`, digestOfSources());
  if (!existsSync(out)) {
    rmSync(join(BUILD, `layer-tree-${kind}`), { recursive: true, force: true });
    mkdirSync(join(BUILD, `layer-tree-${kind}`), { recursive: true });
    const making = mkdtempSync(join(BUILD, `layer-tree-${kind}`, "making-"));
    execFileSync("sh", [join(SOURCES, "build.sh"), making, ...(options.sanitize ? ["--sanitize"] : [])]);
    renameSync(making, out);
  }
  return join(out, "layer-tree");
}

function digestOfSources(): string {
  const hash = createHash("sha256");
  for (const name of readdirSync(SOURCES).sort()) hash.update(name).update(readFileSync(join(SOURCES, name)));
  return hash.digest("hex").slice(0, 16);
}
