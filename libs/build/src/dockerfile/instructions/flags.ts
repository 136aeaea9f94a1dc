import type { Node } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";
import { didYouMean } from "../source/suggest.ts";

/** `switch`: `--link`, `--link=false`; `text`: `--from=x`, at most once; `list`: as often as wanted. */
export type FlagKind = "switch" | "text" | "list";
type FlagValue<Kind extends FlagKind> = Kind extends "switch"
  ? boolean | undefined
  : Kind extends "text"
    ? string | undefined
    : readonly string[];
type FlagValues<Kinds extends Readonly<Record<string, FlagKind>>> = {
  readonly [Name in keyof Kinds]: FlagValue<Kinds[Name]>;
};

/** Reads a node's flags. What was not given is undefined, of a list, empty. @throws DockerfileError, at the flag */
export function readFlags<const Kinds extends Readonly<Record<string, FlagKind>>>(
  node: Pick<Node, "flags">,
  kinds: Kinds,
): FlagValues<Kinds> {
  const values: Record<string, boolean | string | string[]> = {};
  for (const [name, kind] of Object.entries(kinds)) if (kind === "list") values[name] = [];
  for (const { text, range } of node.flags) {
    const at = text.indexOf("=");
    const flag = at === -1 ? text : text.slice(0, at);
    const name = flag.slice(2);
    const value = at === -1 ? null : text.slice(at + 1);
    if (!Object.hasOwn(kinds, name)) {
      throw new DockerfileError(`unknown flag: ${flag}${didYouMean(name, Object.keys(kinds))}`, range);
    }
    const kind = kinds[name];
    if (kind !== "list" && values[name] !== undefined) {
      throw new DockerfileError(`duplicate flag specified: ${flag}`, range);
    }
    if (kind === "switch") values[name] = switched(flag, value, range);
    else if (value === null) throw new DockerfileError(`missing a value on flag: ${flag}`, range);
    else if (kind === "text") values[name] = value;
    else (values[name] as string[]).push(value);
  }
  return values as FlagValues<Kinds>;
}

function switched(flag: string, value: string | null, range: Range): boolean {
  if (value === null) return true;
  if (value === "") throw new DockerfileError(`missing a value on flag: ${flag}`, range);
  const lower = value.toLowerCase();
  if (lower !== "true" && lower !== "false") {
    throw new DockerfileError(`expecting boolean value for flag ${flag}, not: ${value}`, range);
  }
  return lower === "true";
}
