import type { Lexer, Variables } from "../expand/lexer.ts";
import type { Ignore } from "../ignore/matcher.ts";
import type { Common } from "../instructions/instruction.ts";
import type { Warnings } from "../lint/warnings.ts";
import { nearest } from "../source/suggest.ts";
import { SETTINGS } from "./scope.ts";
import type { StageState } from "./stage-state.ts";
import type { Origin } from "./step.ts";

/** What instructions are carried out with. */
export interface StageContext {
  readonly lexer: Lexer;
  readonly globals: Variables;
  readonly buildArgs: Variables;
  readonly warnings: Warnings;
  /** What `.dockerignore` leaves out; null when there is none. */
  readonly ignore: Ignore | null;
  /** Of a RUN that does not say another. */
  readonly network: "default" | "none";
  /** Of every RUN: lines of /etc/hosts. */
  readonly hosts: readonly string[];
  /** Where `--from` and `from=` point. */
  readonly origin: (from: string) => Origin;
  readonly title: (text: string) => string;
  /** The instruction is a trigger of the base image. */
  readonly onBuild: boolean;
}

/** Expands a word of an instruction, and warns of variables in it that nobody set. */
export function expander(context: StageContext, state: StageState, instruction: Common, lexer = context.lexer) {
  return (word: string): string => {
    const { text, missing } = lexer.expand(word, state.variables);
    warnOfMissing(missing, context, state, instruction);
    return text;
  };
}

export function warnOfMissing(
  missing: ReadonlySet<string>,
  { warnings }: StageContext,
  { variables, args, argsBelow }: StageState,
  { range }: Common,
): void {
  for (const name of missing) {
    if (args.has(name) || argsBelow.has(name) || SETTINGS.has(name)) continue;
    warnings.add("UndefinedVar", range, name, nearest(name, variables.keys()) ?? "");
  }
}

/** An instruction as it is shown while it runs: variables filled in where that is possible. */
export function shownCode(code: string, lexer: Lexer, variables: Variables): string {
  try {
    return lexer.expand(code, variables).text;
  } catch {
    return code;
  }
}
