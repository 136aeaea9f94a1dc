/**
 * What libs/image returns and libs/container consumes: a root filesystem as a plain value. Neither knows the other.
 */
export interface RootFs {
  /** Unpacked read-only layers, **topmost first** as overlayfs wants them (`lowerdir=top:…:bottom`). Absolute host paths. */
  readonly lower: readonly string[];
}

/** A host file or folder shown inside a box. */
export interface BindMount {
  readonly source: string;
  /** Absolute path in the box; it must exist in the root filesystem. */
  readonly target: string;
  readonly readonly: boolean;
}
