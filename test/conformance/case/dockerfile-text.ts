import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Case } from "./case.ts";

/** A case's Dockerfile and what it is told, as far as bases are named there; empty when there is none. */
export function dockerfileText({ context, dockerfile, args }: Case): string {
  const path = dockerfile ?? "Dockerfile";
  return [textAt(context, path), ...Object.values(args)].join("\n");
}

function textAt(context: Case["context"], path: string): string {
  if (typeof context === "string") {
    const file = resolve(context, path);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }
  const found = context.find((entry) => entry.path === path)?.is;
  return found?.type === "file" ? found.bytes.toString() : "";
}
