/**
 * What libs/image returns and libs/container consumes: a root filesystem as a plain value. Neither knows the other.
 */
export interface RootFs {
  /** Unpacked read-only layers, **topmost first** as overlayfs wants them (`lowerdir=top:…:bottom`). Absolute host paths. */
  readonly lower: readonly string[];
}

/** What a box sees besides its root file system. Targets are absolute, lead through no link and must exist in the root file system. */
export type BoxMount = BindMount | LayersMount | TmpfsMount | FileMount;

/** A host file or folder. */
export interface BindMount {
  readonly kind: "bind";
  readonly source: string;
  readonly target: string;
  readonly readonly: boolean;
  /** `box`: owners on the host are numbers of the box, 0 its root; `host`: they are what they are, and nobody in the box. */
  readonly ids: "host" | "box";
}

/** A place in a stack of layers. */
export interface LayersMount {
  readonly kind: "layers";
  readonly rootfs: RootFs;
  /** In the layers, absolute. */
  readonly source: string;
  readonly target: string;
  /** A folder of the host with folders `u` and `w`: `u` keeps what is written, owners by their numbers in the box. Null: nothing is kept. */
  readonly upper: string | null;
  readonly readonly: boolean;
}

/** Memory, which is the box's. */
export interface TmpfsMount {
  readonly kind: "tmpfs";
  readonly target: string;
  readonly size_bytes: number;
  readonly mode: number;
}

/** The bytes of a host file, in memory of the box: read-only, and owned as is said. */
export interface FileMount {
  readonly kind: "file";
  readonly source: string;
  readonly target: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}
