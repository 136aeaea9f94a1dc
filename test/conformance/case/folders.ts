import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { z } from "zod";
import { type Case, NO_SETTINGS, PEERS } from "./case.ts";

/** What may stand in a stranger's `case.json`. */
const Settings = z.strictObject({
  about: z.string().optional(),
  dockerfile: z.string().optional(),
  target: z.string().optional(),
  args: z.record(z.string(), z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
  secrets: z.record(z.string(), z.string()).optional(),
  fails: z.boolean().optional(),
  differs: z.partialRecord(z.enum(PEERS), z.string()).optional(),
  expected: z.array(z.string()).optional(),
});

const SETTINGS = "case.json";
const DOCKERFILE = "Dockerfile";
const CONTEXT = "context";

/** What may lie beside `Dockerfile` and `context/` when that is the whole context. */
const BESIDE = new Set([DOCKERFILE, `${DOCKERFILE}.dockerignore`, CONTEXT, SETTINGS, "README.md"]);

/**
 * Somebody's cases: folders, at any depth below `dir`, or `dir` itself. Each is as `docker build` would be told:
 *
 *     CASE/Dockerfile, CASE/…             docker build CASE
 *     CASE/Dockerfile, CASE/context/…     docker build -f CASE/Dockerfile CASE/context     (with nothing else in CASE)
 *     CASE/context/Dockerfile, …          docker build CASE/context
 *
 * `CASE/case.json` has settings; without it they are the usual ones. @throws Error that names the folder
 */
export function readFolders(dir: string): Case[] {
  const root = resolve(dir);
  if (!existsSync(root)) throw new Error(`--cases ${dir}: there is no such folder`);
  return [...found(root, root)];
}

function* found(folder: string, root: string): Generator<Case> {
  if (isCase(folder)) {
    yield readFolder(folder, relative(root, folder) || basename(folder));
    return;
  }
  const inner = readdirSync(folder).filter(
    (name) => !name.startsWith(".") && statSync(join(folder, name)).isDirectory(),
  );
  if (inner.length === 0)
    throw new Error(`${folder}: no case is in it; each is a folder with a Dockerfile and its context`);
  for (const name of inner.sort()) yield* found(join(folder, name), root);
}

const isCase = (folder: string): boolean =>
  [DOCKERFILE, SETTINGS, join(CONTEXT, DOCKERFILE)].some((path) => existsSync(join(folder, path)));

function readFolder(folder: string, name: string): Case {
  const settings = settingsOf(join(folder, SETTINGS));
  const context = contextOf(folder);
  const wanted = settings.dockerfile ?? DOCKERFILE;
  const outside = !existsSync(join(context, wanted)) && existsSync(join(folder, wanted));
  return {
    ...NO_SETTINGS,
    about: "",
    fails: null,
    ...settings,
    name,
    context,
    dockerfile: outside ? join(folder, wanted) : wanted,
  };
}

function contextOf(folder: string): string {
  const inner = join(folder, CONTEXT);
  if (!existsSync(inner) || !statSync(inner).isDirectory()) return folder;
  const isApart = readdirSync(folder).every((name) => BESIDE.has(name));
  return isApart || existsSync(join(inner, DOCKERFILE)) ? inner : folder;
}

function settingsOf(file: string): Partial<Case> {
  if (!existsSync(file)) return {};
  try {
    const settings = Settings.parse(JSON.parse(readFileSync(file, "utf8")));
    return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Error(`${file}: ${what}`, { cause: error });
  }
}
