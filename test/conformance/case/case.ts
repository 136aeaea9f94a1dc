import type { Entry } from "./entry.ts";

/** Who else builds. */
export const PEERS = ["docker", "classic", "buildah"] as const;
export type Peer = (typeof PEERS)[number];

/** One Dockerfile with its context, what it is about, and where engines are known to part. */
export interface Case {
  /** `group/name` */
  readonly name: string;
  readonly about: string;
  /** A path in the context, or an absolute one; null: `Dockerfile`. */
  readonly dockerfile: string | null;
  readonly target: string | null;
  readonly args: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** Id → what it is. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Whether we must refuse it; null: if all others do. */
  readonly fails: boolean | null;
  /** Who is known to make something else of it, and why. */
  readonly differs: Readonly<Partial<Record<Peer, string>>>;
  /** Lines of what must come out, by `linesOf`; `!path` for what must not be there. */
  readonly expected: readonly string[];
  /** The context with the Dockerfile in it: what is to be written out, or a folder that is there. */
  readonly context: readonly Entry[] | string;
}

export const NO_SETTINGS = {
  dockerfile: null,
  target: null,
  args: {},
  labels: {},
  secrets: {},
  fails: false,
  differs: {},
  expected: [],
} satisfies Partial<Case>;

/** Names without a group of settings that a wrong word could hide in. */
export const isPeer = (name: string): name is Peer => (PEERS as readonly string[]).includes(name);
