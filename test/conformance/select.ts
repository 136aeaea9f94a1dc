import { readdirSync, readFileSync } from "node:fs";
import { basename, join, matchesGlob } from "node:path";
import type { Case } from "./case/case.ts";
import { readFolders } from "./case/folders.ts";
import { readGroup } from "./case/group.ts";

const CASES = join(import.meta.dirname, "cases");
const ENDING = ".cases";

/** Ours, or those in a folder of somebody's, whose names match. @throws Error when none do */
export function selected(glob: string, folder: string | null): Case[] {
  const all = folder === null ? ours() : readFolders(folder);
  const found = all.filter(({ name }) => matchesGlob(name, glob) || name.startsWith(`${glob}/`));
  if (found.length === 0) throw new Error(`--case ${glob}: none of ${all.length} cases is called so`);
  return found;
}

function ours(): Case[] {
  const files = readdirSync(CASES).filter((file) => file.endsWith(ENDING));
  const cases = files
    .sort()
    .flatMap((file) => readGroup(basename(file, ENDING), readFileSync(join(CASES, file), "utf8")));
  const twice = cases.filter(({ name }, at) => cases.findIndex((other) => other.name === name) !== at);
  if (twice.length > 0) throw new Error(`there are two cases ${twice[0]!.name}`);
  return cases;
}
