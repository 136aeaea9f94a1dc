import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "./failure.ts";

const EXTENSIONS = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs"];
const MODULE = new RegExp(`\\.(${EXTENSIONS.join("|")})$`);
const USUAL = ["index", "src/index", "main", "src/main"];

/** Where the project begins: what was asked for, what package.json says, the usual names, or the only module there is. */
export function findEntry(project: string, asked: string | null): string {
  if (asked !== null) {
    const found = firstModule(project, [asked]);
    if (found) return found;
    throw new Failure(`entry=${asked}: there is no such file in the project`, { hint: `there is ${listing(project)}` });
  }
  const named = namedByManifest(project);
  const found = firstModule(project, named) ?? firstModule(project, USUAL) ?? onlyModule(project);
  if (found) return found;
  const manifest =
    named.length > 0 ? `package.json names ${named.join(", ")}, which is not there` : "no package.json names one";
  throw new Failure(
    `no entry was found: there is no Dockerfile, ${manifest}, and there is no ${USUAL.join(", ")} (.${EXTENSIONS.join(", .")}) and no only module`,
    { hint: `name it with entry=path; there is ${listing(project)}` },
  );
}

/** Paths that package.json gives as the package's own module, the best first. */
function namedByManifest(project: string): string[] {
  const path = join(project, "package.json");
  if (!isFile(path)) return [];
  try {
    const { main, module, exports } = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    const named = [exported(exports), module, main].filter((value) => typeof value === "string");
    return [...new Set(named.map((name) => name.replace(/^\.\//, "")))].filter((name) => name !== "");
  } catch (error) {
    throw new Failure(`package.json cannot be read: ${(error as Error).message}`);
  }
}

/** The package's own module of `exports`, by the conditions that hold here (Node's documentation, Conditional exports). */
function exported(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(exported).find((path) => path !== undefined);
  if (value === null || typeof value !== "object") return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (![".", "node", "import", "module", "require", "default"].includes(key)) continue;
    const path = exported(inner);
    if (path !== undefined) return path;
  }
  return undefined;
}

/** The first of these that is there: as it is written, with an extension, or as a folder with an index. */
function firstModule(project: string, names: readonly string[]): string | undefined {
  const endings = ["", ...EXTENSIONS.map((ext) => `.${ext}`), ...EXTENSIONS.map((ext) => `/index.${ext}`)];
  return names
    .flatMap((name) => endings.map((ending) => name.replace(/\/+$/, "") + ending))
    .find((path) => MODULE.test(path) && isFile(join(project, path)));
}

function onlyModule(project: string): string | undefined {
  const modules = readdirSync(project).filter((name) => MODULE.test(name) && !/\.(test|spec|config|d)\./.test(name));
  return modules.length === 1 ? modules[0] : undefined;
}

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;

function listing(project: string): string {
  const names = readdirSync(project).sort();
  return names.length === 0 ? "nothing in it" : `${names.slice(0, 12).join(", ")}${names.length > 12 ? ", …" : ""}`;
}
