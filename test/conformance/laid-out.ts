import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Order } from "./builders/builder.ts";
import type { Case } from "./case/case.ts";
import { writeEntries } from "./case/write.ts";

/**
 * A case as a folder: written out below `dir`, unless it is one already. Nothing that was made before is used: a step of one case may be
 * that of another but for its times, which count in no key.
 */
export function laidOut(one: Case, dir: string): Order {
  const { context, dockerfile, target, args, labels } = one;
  const own = join(dir, one.name.replaceAll("/", "."));
  const at = typeof context === "string" ? context : own;
  if (typeof context !== "string") writeEntries(at, context);
  const secrets = secretFiles(one.secrets, `${own}.secrets`);
  return { dir: at, dockerfile: dockerfile ?? "Dockerfile", target, args, labels, secrets, noCache: true };
}

function secretFiles(secrets: Case["secrets"], dir: string): Record<string, string> {
  const files: Record<string, string> = {};
  for (const [id, value] of Object.entries(secrets)) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const file = join(dir, id);
    writeFileSync(file, value);
    files[id] = file;
  }
  return files;
}
