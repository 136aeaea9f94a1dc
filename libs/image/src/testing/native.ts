import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

const SOURCES = join(import.meta.dirname, "../../native");
const BUILD = join(import.meta.dirname, "../../../../build");

const MAKING = "making-";

interface Kind {
  readonly sanitize?: true;
}

export const builtLayerTree = (kind: Kind = {}): string => join(built(kind), "layer-tree");
export const builtCage = (): string => join(built({}), "courier-cage");

/** For tests: the folder of what the sources as they are make, built once for each state of them. */
function built(options: Kind): string {
  const builds = join(BUILD, `layer-tree-${options.sanitize ? "sanitized" : "plain"}`);
  const digest = digestOfSources();
  const out = join(builds, digest);
  if (!existsSync(out)) {
    mkdirSync(builds, { recursive: true });
    const old = readdirSync(builds).filter((name) => name !== digest && !name.startsWith(MAKING));
    const making = mkdtempSync(join(builds, MAKING));
    execFileSync("sh", [join(SOURCES, "build.sh"), making, ...(options.sanitize ? ["--sanitize"] : [])]);
    for (const name of old) rmSync(join(builds, name), { recursive: true, force: true });
    try {
      renameSync(making, out);
    } catch (error) {
      if (!existsSync(out)) throw error;
      rmSync(making, { recursive: true }); // A test beside this one was quicker.
    }
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
