import type { Digest, Ending, RootFs } from "@mayfly/contract";
import type { Layer, WritableLayer } from "@mayfly/image";
import type { BoxUsage } from "../../session.ts";
import type { Listed } from "../files/listing.ts";
import type { Sharing } from "../instructions/mount.ts";
import type { Warning } from "../lint/warnings.ts";
import type { RunStep } from "../plan/step.ts";
import type { LayerMemory } from "./layer-memory.ts";

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

/** A mount of a RUN. Targets are absolute and lead through no link; one that lies in another comes after it. */
export type RunMount =
  | {
      readonly type: "bind";
      readonly target: string;
      /** Layers, topmost first, and the place in them that is shown. */
      readonly lower: readonly string[];
      readonly source: string;
      /** Else what is written is seen until the program ends, and then by nobody. */
      readonly read_only: boolean;
    }
  | {
      readonly type: "cache";
      readonly target: string;
      readonly id: string;
      readonly sharing: Sharing;
      readonly read_only: boolean;
      /** What a new cache begins with: the image of these layers; null: nothing. */
      readonly base: Digest | null;
      readonly lower: readonly string[];
      readonly source: string;
      /** Of a new cache. */
      readonly mode: number | null;
      readonly uid: number;
      readonly gid: number;
    }
  | { readonly type: "tmpfs"; readonly target: string; readonly size_bytes: number | null }
  | {
      /** Bytes that are on no disk, as a file: a secret, or what the builder says. */
      readonly type: "secret";
      readonly target: string;
      readonly content: Uint8Array;
      readonly mode: number;
      readonly uid: number;
      readonly gid: number;
    };

/** What a program used: the kernel's counters, its time, what it could have had of memory, and what it wrote to disk. */
export type RunUsage = BoxUsage & {
  readonly wall_us: number;
  readonly memory_limit_bytes: number;
  readonly disk_bytes: number;
};

export interface RunResult {
  readonly ending: Ending;
  readonly used: RunUsage;
  /** What it wrote; nothing writes there any more. */
  readonly writable: WritableLayer;
  /** Throws the writable layer away. */
  release(): Promise<void>;
}

/** How RUN runs: the worker does it in a box. */
export type RunProgram = (request: RunRequest, signal: AbortSignal) => Promise<RunResult>;

/** Something outside that ADD names. */
export type RemoteFiles =
  | { readonly kind: "http"; readonly url: string }
  | {
      readonly kind: "git";
      readonly remote: string;
      readonly ref: string;
      readonly folder: string;
      readonly keep_git_dir: boolean;
    };

export interface RemoteIdentity {
  /** Changes when the content does: an ETag, a commit; null: nothing tells. */
  readonly identity: string | null;
  readonly mtime_s: number | null;
}

export interface FetchedFile {
  readonly path: string;
  readonly size_bytes: number;
  readonly digest: Digest;
}

/** How something is fetched: a file as it came, or a tar of a repository's files. Of what `isKnown` says so, nothing is brought. */
export type Fetch = (
  source: RemoteFiles,
  options: { readonly signal: AbortSignal; readonly onOutput: RunRequest["onOutput"] },
  isKnown: (head: RemoteIdentity) => Promise<boolean>,
) => Promise<{ readonly head: RemoteIdentity; readonly file: FetchedFile | null; release(): Promise<void> }>;

/** The layer of a step, and when it was made (ISO 8601): an image of what was made before is as old as that. */
export interface MadeLayer extends Layer {
  readonly made_at: string;
}

/** What builds remember. Keys are digests of all that a result depends on. */
export interface BuildCache {
  readonly memory: LayerMemory;
  step(key: string): Promise<MadeLayer | null>;
  keepStep(key: string, layer: MadeLayer): Promise<void>;
  /** What a layer holds, by the digest of its bytes: a diff_id is only what an image says of itself. */
  listing(layer: Digest): Promise<Listed[] | null>;
  keepListing(layer: Digest, list: readonly Listed[]): Promise<void>;
}

/** A build as it goes. `step` numbers the steps of the whole build, from 1, in the order of their starts. */
export type BuildEvent =
  | { readonly event: "warning"; readonly warning: Warning }
  | { readonly event: "unused_args"; readonly names: readonly string[] }
  | { readonly event: "started"; readonly step: number; readonly title: string }
  | { readonly event: "output"; readonly step: number; readonly stream: "stdout" | "stderr"; readonly text: string }
  | { readonly event: "cached" | "done"; readonly step: number; readonly title: string; readonly elapsed_ms: number }
  | { readonly event: "failed"; readonly step: number; readonly title: string; readonly message: string };
