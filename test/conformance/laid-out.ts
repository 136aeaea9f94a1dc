import { join } from "node:path";
import type { Order } from "./builders/builder.ts";
import type { Case } from "./case/case.ts";
import { writeEntries } from "./case/write.ts";

/**
 * A case as a folder: written out below `dir`, unless it is one already. Nothing that was made before is used: a step of one case may be
 * that of another but for its times, which count in no key.
 */
export function laidOut(one: Case, dir: string): Order {
  const { context, dockerfile, target, args } = one;
  const at = typeof context === "string" ? context : join(dir, one.name.replaceAll("/", "."));
  if (typeof context !== "string") writeEntries(at, context);
  return { dir: at, dockerfile: dockerfile ?? "Dockerfile", target, args, noCache: true };
}
