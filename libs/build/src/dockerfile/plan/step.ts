import type { InlineFile } from "../instructions/instruction.ts";
import type { Mount } from "../instructions/mount.ts";
import type { Range } from "../source/position.ts";

/** Where files come from: the context, an earlier stage of this plan, or an image. */
export type Origin =
  | { readonly kind: "context" }
  | { readonly kind: "stage"; readonly stage: number }
  | { readonly kind: "image"; readonly reference: string }
  | { readonly kind: "scratch" };

interface StepCommon {
  /** `[stage 2/5] RUN make`, as BuildKit shows it. */
  readonly title: string;
  readonly range: Range;
  /** From a trigger of the base image. */
  readonly on_build: boolean;
}

/** Runs a program in a box; what it writes is a layer. */
export interface RunStep extends StepCommon {
  readonly kind: "run";
  /** argv, the shell included. */
  readonly args: readonly string[];
  /** `NAME=value`: ARGs and ENVs. */
  readonly env: readonly string[];
  readonly user: string;
  readonly cwd: string;
  readonly mounts: readonly PlannedMount[];
  /** A script of a heredoc that begins with `#!`: put there, read-only and executable, while the program runs. */
  readonly script: { readonly path: string; readonly content: string } | null;
  readonly network: "default" | "none" | "host";
  readonly security: "sandbox" | "insecure";
  /** Lines of its /etc/hosts besides those that are always there. */
  readonly hosts: readonly string[];
  /** `|1 A=b /bin/sh -c make`: the command with the ARGs that it sees, which is what tells two RUNs apart. */
  readonly command: string;
  /** Proxies from the command line: seen by the program, part of neither history nor cache. */
  readonly proxies: readonly string[];
}

/** A mount with its target made absolute and its defaults filled in. */
export interface PlannedMount extends Mount {
  readonly origin: Origin;
}

/** Copies files; they are a layer. */
export interface CopyStep extends StepCommon {
  readonly kind: "copy" | "add";
  /** In the order in which they are written. */
  readonly sources: readonly CopySource[];
  /** Absolute; a folder when it ends with a slash. */
  readonly destination: string;
  /** `user[:group]`, names or numbers; null: root, or of another stage what they were. */
  readonly chown: string | null;
  /** Octal digits or symbolic changes as chmod reads them. */
  readonly chmod: string | null;
  /** The files do not depend on what is below: no link there is followed. */
  readonly link: boolean;
  readonly exclude: readonly string[];
}

export type CopySource =
  | {
      readonly kind: "path";
      readonly origin: Origin;
      /** From the origin's root; Go's wildcards (filepath.Match). */
      readonly pattern: string;
      /** `--parents`: what of the pattern is kept below the destination, by .dockerignore's wildcards; null without. */
      readonly keep: string | null;
      /** Archives are unpacked. */
      readonly unpack: boolean;
    }
  | { readonly kind: "inline"; readonly file: Omit<InlineFile, "expand"> }
  | {
      readonly kind: "http";
      readonly url: string;
      /** Name of the file when the destination is a folder. */
      readonly name: string;
      readonly checksum: string | null;
      readonly unpack: boolean;
    }
  | {
      readonly kind: "git";
      readonly remote: string;
      readonly ref: string;
      readonly folder: string;
      readonly keep_git_dir: boolean;
    };

/** Makes the working folder when it is not there, owned by the user of that moment. */
export interface WorkdirStep extends StepCommon {
  readonly kind: "workdir";
  readonly path: string;
  readonly user: string;
}

export type Step = RunStep | CopyStep | WorkdirStep;
