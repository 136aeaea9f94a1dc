import { type Case, isPeer, NO_SETTINGS } from "./case.ts";
import { type Entry, readEntry } from "./entry.ts";

/**
 * A file of cases. `=== NAME`, a sentence of what it is about, settings, then files:
 *
 *     === a-file
 *     A file is copied to the name that the destination gives it.
 *     @target NAME | @arg KEY=VALUE | @label KEY=VALUE | @secret ID=VALUE | @dockerfile PATH | @fails | @differs PEER WHY
 *     --- Dockerfile
 *     FROM scratch
 *     COPY a /b
 *     --- a 0600
 *     text
 *     --- expected
 *     b file 600 0:0 "text\n"
 *
 * @throws Error that names the case
 */
export function readGroup(group: string, text: string): Case[] {
  const [head, ...parts] = text.split(/^=== /m);
  if (head!.trim() !== "" && !head!.startsWith("#"))
    throw new Error(`${group}: something stands before its first case`);
  return parts.map((part) => {
    const name = `${group}/${part.slice(0, part.indexOf("\n"))}`;
    try {
      return readCase(name, part.slice(part.indexOf("\n") + 1));
    } catch (error) {
      throw new Error(`${name}: ${(error as Error).message}`, { cause: error });
    }
  });
}

function readCase(name: string, text: string): Case {
  const [head, ...sections] = text.trimEnd().split(/^--- /m);
  const lines = head!.trim().split("\n");
  const about = lines.filter((line) => !line.startsWith("@")).join(" ");
  if (about === "") throw new Error("it does not say what it is about");
  const settings = lines
    .filter((line) => line.startsWith("@"))
    .reduce(withSetting, { ...NO_SETTINGS, name, about, context: [] });
  const context: Entry[] = [];
  let expected: string[] = [];
  for (const section of sections) {
    const [header, ...body] = section.replace(/\n$/, "").split("\n");
    if (header === "expected") expected = body;
    else context.push(readEntry(header!, body));
  }
  return { ...settings, context, expected };
}

const PAIRS: Readonly<Record<string, "args" | "labels" | "secrets">> = {
  "@arg": "args",
  "@label": "labels",
  "@secret": "secrets",
};

function withSetting(settings: Case, line: string): Case {
  const [word, value = "", rest] = line.split(/ +(\S+)(?: +(.*))?/);
  if (word === "@target") return { ...settings, target: value };
  if (word === "@dockerfile") return { ...settings, dockerfile: value };
  if (word === "@fails") return { ...settings, fails: true };
  const pairs = PAIRS[word!];
  if (pairs !== undefined) {
    const [, key, is] = /^@\w+ ([^=]+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`${line}: ${word} KEY=VALUE`);
    return { ...settings, [pairs]: { ...settings[pairs], [key]: is! } };
  }
  if (word === "@differs" && isPeer(value) && rest)
    return { ...settings, differs: { ...settings.differs, [value]: rest } };
  throw new Error(`${line}: there is no such setting`);
}
