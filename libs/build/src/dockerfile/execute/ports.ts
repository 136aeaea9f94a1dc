import type { Digest, Ending, RootFs } from "@mayfly/contract";
import type { Layer, WritableLayer } from "@mayfly/image";
import type { Listed } from "../files/listing.ts";
import type { Warning } from "../lint/warnings.ts";
import type { PlannedMount, RunStep } from "../plan/step.ts";

/** What a RUN is: a program over a stack of layers and one that it writes. */
export interface RunRequest {
  /** Layers of the stage, topmost first. */
  readonly rootfs: RootFs;
  readonly args: readonly string[];
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly groups: readonly number[] };
  readonly network: RunStep["network"];
  readonly script: RunStep["script"];
  readonly mounts: readonly RunMount[];
  readonly onOutput: (stream: "stdout" | "stderr", text: string) => void;
}

/** A mount; what is bound is a folder or file of these layers. */
export type RunMount = PlannedMount & { readonly rootfs: RootFs | null };

export interface RunResult {
  readonly ending: Ending;
  /** What it wrote; nothing writes there any more. */
  readonly writable: WritableLayer;
  /** Throws the writable layer away. */
  release(): Promise<void>;
}

/** How RUN runs: the worker does it in a box. */
export type RunProgram = (request: RunRequest, signal: AbortSignal) => Promise<RunResult>;

/** What builds remember. Keys are digests of all that a result depends on. */
export interface BuildCache {
  step(key: string): Promise<Layer | null>;
  keepStep(key: string, layer: Layer): Promise<void>;
  /** What a layer holds, by its diff_id. */
  listing(diffId: Digest): Promise<Listed[] | null>;
  keepListing(diffId: Digest, list: readonly Listed[]): Promise<void>;
}

/** A build as it goes. `step` numbers the steps of the whole build, from 1, in the order of their starts. */
export type BuildEvent =
  | { readonly event: "warning"; readonly warning: Warning }
  | { readonly event: "unused_args"; readonly names: readonly string[] }
  | { readonly event: "started"; readonly step: number; readonly title: string }
  | { readonly event: "output"; readonly step: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly event: "cached" | "done"; readonly step: number; readonly title: string; readonly elapsed_ms: number }
  | { readonly event: "failed"; readonly step: number; readonly title: string; readonly message: string };
