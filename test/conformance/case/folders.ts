import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { type Case, NO_SETTINGS, PEERS } from "./case.ts";

/** What may lie beside a stranger's Dockerfile; it is part of no build unless the Dockerfile takes it. */
const Settings = z.strictObject({
  about: z.string().optional(),
  dockerfile: z.string().nullable().optional(),
  target: z.string().nullable().optional(),
  args: z.record(z.string(), z.string()).optional(),
  fails: z.boolean().optional(),
  differs: z.partialRecord(z.enum(PEERS), z.string()).optional(),
  expected: z.array(z.string()).optional(),
});

const SETTINGS = "case.json";

/**
 * Folders of somebody's: `<name>/Dockerfile` with its context, or `<name>/context/` with `<name>/case.json` beside it, which is then out of
 * the context. Without case.json the settings are the usual ones. @throws Error that names the folder
 */
export function readFolders(dir: string): Case[] {
  if (!existsSync(dir)) throw new Error(`--cases ${dir}: there is no such folder`);
  const names = readdirSync(dir).filter((name) => statSync(join(dir, name)).isDirectory());
  if (names.length === 0)
    throw new Error(`--cases ${dir}: no folder is in it; each case is a folder with a Dockerfile`);
  return names.sort().map((name) => readFolder(join(dir, name), name));
}

function readFolder(folder: string, name: string): Case {
  const file = join(folder, SETTINGS);
  const context = existsSync(join(folder, "Dockerfile")) ? folder : contextIn(folder);
  if (!existsSync(file)) return { ...NO_SETTINGS, name, about: "", context };
  try {
    const settings = Settings.parse(JSON.parse(readFileSync(file, "utf8")));
    const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
    return { ...NO_SETTINGS, about: "", ...given, name, context };
  } catch (error) {
    const found = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new Error(`${file}: ${found}`, { cause: error });
  }
}

const contextIn = (folder: string): string => {
  const inner = join(folder, "context");
  return existsSync(inner) ? inner : folder;
};
