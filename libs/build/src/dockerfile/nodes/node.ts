import type { Directive, Escape } from "../lines/directives.ts";
import type { Range } from "../source/position.ts";
import type { Arguments } from "./arguments.ts";
import type { Heredoc } from "./heredoc.ts";

/** An instruction cut into its parts, of any keyword, known or not; what the parts mean is not looked at. */
export interface Node extends Arguments {
  /** The keyword as written. */
  readonly word: string;
  readonly flags: readonly { readonly text: string; readonly range: Range }[];
  readonly heredocs: readonly Heredoc[];
  /** ONBUILD: the instruction that it holds. */
  readonly child: Node | null;
  /** The line without its continuations, as written. */
  readonly original: string;
  readonly comments: readonly string[];
  /** From the keyword to the last character, heredocs included. */
  readonly range: Range;
  readonly wordRange: Range;
}

export interface NodeFile {
  readonly nodes: readonly Node[];
  readonly directives: readonly Directive[];
  readonly escape: Escape;
  /** Last lines of instructions with blank lines between continuations. */
  readonly emptyContinuations: readonly Range[];
}
