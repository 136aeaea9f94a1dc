import type { Escape } from "../lines/directives.ts";
import { DockerfileError } from "../source/failure.ts";
import { isSpace, quote } from "../source/go-text.ts";
import { readJsonList } from "./json-list.ts";
import type { Keyword } from "./keyword.ts";
import { splitWords } from "./words.ts";

/** What follows keyword and flags, cut into words as the keyword wants it; nothing is expanded yet. */
export interface Arguments {
  readonly words: readonly string[];
  /** Written as a JSON list. */
  readonly json: boolean;
  /** ENV and LABEL: [name, value, how they were joined: `=`, or nothing in `ENV name value`]. */
  readonly pairs?: readonly (readonly [name: string, value: string, joint: "" | "="])[];
}

type Reader = (rest: string, token: Escape) => Arguments;

const words = (list: readonly string[]): Arguments => ({ words: list, json: false });
const BLANKS = /[\t\v\f\r ]+/;

/** The whole rest is one argument. */
const one: Reader = (rest) => words(rest === "" ? [] : [rest]);
const blankSeparated: Reader = (rest) => words(rest === "" ? [] : rest.split(BLANKS));
const nameValues: Reader = (rest, token) => words(splitWords(rest, token));
const jsonOr =
  (otherwise: Reader): Reader =>
  (rest, token) => {
    const list = readJsonList(rest);
    return list === null ? otherwise(rest, token) : { words: list, json: true };
  };

/** `name=value …`, or in the old form `name the whole rest`: what the first word is like decides. */
const pairs =
  (keyword: string): Reader =>
  (rest, token) => {
    const list = splitWords(rest, token);
    const first = list[0];
    if (first === undefined) return words([]);
    if (!first.includes("=")) {
      const blanks = BLANKS.exec(rest);
      if (!blanks) throw new DockerfileError(`${keyword} must have two arguments`);
      const [name, value] = [rest.slice(0, blanks.index), rest.slice(blanks.index + blanks[0].length)];
      return { words: list, json: false, pairs: [[name, value, ""]] };
    }
    return {
      words: list,
      json: false,
      pairs: list.map((word) => {
        const at = word.indexOf("=");
        if (at === -1) {
          throw new DockerfileError(`Syntax error - can't find = in ${quote(word)}. Must be of the form: name=value`);
        }
        return [word.slice(0, at), word.slice(at + 1), "="];
      }),
    };
  };

/** HEALTHCHECK: a type, then a command. */
const typeAndCommand: Reader = (rest, token) => {
  let end = 0;
  while (end < rest.length && !isSpace(rest[end]!)) end++;
  if (end === 0) return words([]);
  let next = end;
  while (next < rest.length && isSpace(rest[next]!)) next++;
  const command = jsonOr(one)(rest.slice(next), token);
  return { ...command, words: [rest.slice(0, end), ...command.words] };
};

export const READERS: Readonly<Record<Exclude<Keyword, "onbuild">, Reader>> = {
  add: jsonOr(blankSeparated),
  arg: nameValues,
  cmd: jsonOr(one),
  copy: jsonOr(blankSeparated),
  entrypoint: jsonOr(one),
  env: pairs("ENV"),
  expose: blankSeparated,
  from: blankSeparated,
  healthcheck: typeAndCommand,
  label: pairs("LABEL"),
  maintainer: one,
  run: jsonOr(one),
  shell: jsonOr(one),
  stopsignal: one,
  user: one,
  volume: jsonOr(blankSeparated),
  workdir: one,
};
