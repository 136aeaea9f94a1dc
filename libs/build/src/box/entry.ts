import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./failure.ts";

const EXTENSIONS = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];
const MODULE = new RegExp(`\\.(${EXTENSIONS.join("|")})$`);

/** Where the project begins: what was asked for, what package.json says, the usual names, or the only module there is. */
export function findEntry(project: string, asked: string | null): string {
  if (asked !== null) {
    if (isFile(join(project, asked))) return asked;
    throw new Failure(`entry=${asked}: there is no such file in the project`, { hint: `there is ${listing(project)}` });
  }
  const usual = ["index", "src/index", "main", "src/main"].flatMap((name) =>
    EXTENSIONS.map((extension) => `${name}.${extension}`),
  );
  const candidates = [...fromManifest(project), ...usual];
  const found = candidates.find((path) => isFile(join(project, path))) ?? onlyModule(project);
  if (found) return found;
  throw new Failure(
    "no entry was found: there is no package.json with main, no index, src/index, main or src/main module",
    {
      hint: `name it with entry=path; there is ${listing(project)}`,
    },
  );
}

function fromManifest(project: string): string[] {
  const path = join(project, "package.json");
  if (!existsSync(path)) return [];
  try {
    const { main, module, exports } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    const exported = typeof exports === "string" ? exports : (exports as Record<string, unknown> | undefined)?.["."];
    const named = [exported, module, main].filter((value): value is string => typeof value === "string");
    return named.map((name) => name.replace(/^\.\//, "")).filter((name) => MODULE.test(name));
  } catch (error) {
    throw new Failure(`package.json cannot be read: ${(error as Error).message}`);
  }
}

function onlyModule(project: string): string | undefined {
  const modules = readdirSync(project).filter((name) => MODULE.test(name) && !/\.(test|spec|config|d)\./.test(name));
  return modules.length === 1 ? modules[0] : undefined;
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function listing(project: string): string {
  const names = readdirSync(project);
  return names.length === 0 ? "nothing in it" : `${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`;
}
