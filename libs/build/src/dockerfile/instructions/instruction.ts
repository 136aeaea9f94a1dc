import type { Nanoseconds } from "../source/duration.ts";
import type { Range } from "../source/position.ts";

/** What all instructions have. */
export interface Common {
  /** The keyword as written. */
  readonly word: string;
  /** The instruction as written, continuations joined, heredocs left out. */
  readonly code: string;
  readonly range: Range;
  /** The comments right above it. */
  readonly comments: readonly string[];
}

export interface Pair {
  readonly name: string;
  readonly value: string;
  /** Written in the old form, `ENV name value`. */
  readonly legacy: boolean;
}

/** A command for a shell, or the words of one that needs none. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly shell: boolean;
}

/** A file whose content stands in the Dockerfile. */
export interface InlineFile {
  readonly name: string;
  readonly content: string;
  readonly expand: boolean;
}

export interface Sources {
  readonly paths: readonly string[];
  readonly files: readonly InlineFile[];
  readonly destination: string;
  readonly chown: string;
  readonly chmod: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
}

export interface Healthcheck {
  /** `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]` */
  readonly test: readonly string[];
  readonly interval: Nanoseconds;
  readonly timeout: Nanoseconds;
  readonly start_period: Nanoseconds;
  readonly start_interval: Nanoseconds;
  readonly retries: number;
}

export interface RunHeredoc {
  readonly name: string;
  readonly content: string;
  readonly chomp: boolean;
}

export interface From extends Common {
  readonly kind: "from";
  readonly base: string;
  /** In lower case; empty when it has no name. */
  readonly stage: string;
  /** `AS name` as written; null without. */
  readonly as: { readonly word: string; readonly name: string } | null;
  readonly platform: string;
}
export interface Env extends Common {
  readonly kind: "env";
  readonly pairs: readonly Pair[];
}
export interface Label extends Common {
  readonly kind: "label";
  readonly pairs: readonly Pair[];
}
export interface Arg extends Common {
  readonly kind: "arg";
  readonly args: readonly { readonly name: string; readonly value: string | null }[];
}
export interface Copy extends Common, Sources {
  readonly kind: "copy";
  /** A stage, its number, or an image; empty: the context. */
  readonly from: string;
}
export interface Add extends Common, Sources {
  readonly kind: "add";
  readonly keep_git_dir: boolean;
  readonly checksum: string;
  /** Null: local archives are unpacked, remote ones are not. */
  readonly unpack: boolean | null;
}
export interface Run extends Common, CommandLine {
  readonly kind: "run";
  readonly heredocs: readonly RunHeredoc[];
  /** As written: variables in them are expanded when the variables are known. */
  readonly mounts: readonly string[];
  /** `from` of those that have one: it does not depend on variables. */
  readonly mount_sources: readonly string[];
  readonly network: string;
  readonly security: string;
}
export interface Cmd extends Common, CommandLine {
  readonly kind: "cmd";
}
export interface Entrypoint extends Common, CommandLine {
  readonly kind: "entrypoint";
}
export interface HealthcheckInstruction extends Common {
  readonly kind: "healthcheck";
  readonly healthcheck: Healthcheck;
}
export interface Expose extends Common {
  readonly kind: "expose";
  readonly ports: readonly string[];
}
export interface User extends Common {
  readonly kind: "user";
  readonly user: string;
}
export interface Volume extends Common {
  readonly kind: "volume";
  readonly volumes: readonly string[];
}
export interface Workdir extends Common {
  readonly kind: "workdir";
  readonly path: string;
}
export interface StopSignal extends Common {
  readonly kind: "stopsignal";
  readonly signal: string;
}
export interface Shell extends Common {
  readonly kind: "shell";
  readonly shell: readonly string[];
}
export interface Maintainer extends Common {
  readonly kind: "maintainer";
  readonly maintainer: string;
}
export interface OnBuild extends Common {
  readonly kind: "onbuild";
  /** The instruction, as whoever builds on the image will read it. */
  readonly trigger: string;
}

/** What may stand in a stage. */
export type Instruction =
  | Add
  | Arg
  | Cmd
  | Copy
  | Entrypoint
  | Env
  | Expose
  | HealthcheckInstruction
  | Label
  | Maintainer
  | OnBuild
  | Run
  | Shell
  | StopSignal
  | User
  | Volume
  | Workdir;
