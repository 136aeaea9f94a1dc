/**
 * What libs/image returns and libs/container consumes: a root filesystem as a plain value. Neither knows the other.
 */
export interface RootFs {
  /** Unpacked read-only layers, **topmost first** as overlayfs wants them (`lowerdir=top:…:bottom`). Absolute host paths. */
  readonly lower: readonly string[];
}

/** What a box sees besides its root file system. One that lies in another comes after it. */
export type BoxMount = BindMount | LayersMount | TmpfsMount | FileMount;

interface Target {
  /** Absolute, through no link. */
  readonly target: string;
  /** Whether the target is made, by the box's root, where it is missing; else there is no box then. */
  readonly make: boolean;
}

/** A host file or folder. */
export interface BindMount extends Target {
  readonly kind: "bind";
  readonly source: string;
  readonly readonly: boolean;
  /** `box`: owners on the host are numbers of the box, 0 its root; `host`: they are what they are, and nobody in the box. */
  readonly ids: "host" | "box";
}

/** A place in a stack of layers. */
export interface LayersMount extends Target {
  readonly kind: "layers";
  readonly rootfs: RootFs;
  /** In the layers, absolute. */
  readonly source: string;
  /** A folder of the host with folders `u` and `w`: `u` keeps what is written, owners by their numbers in the box. Null: nothing is kept. */
  readonly upper: string | null;
  readonly readonly: boolean;
}

/** Memory, which is the box's. */
export interface TmpfsMount extends Target {
  readonly kind: "tmpfs";
  readonly size_bytes: number;
  readonly mode: number;
}

/** The bytes of a host file, in memory of the box: read-only, and owned as is said. */
export interface FileMount extends Target {
  readonly kind: "file";
  readonly source: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
