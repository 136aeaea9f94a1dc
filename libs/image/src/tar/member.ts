import type { Segment } from "../layer/entry.ts";
import type { Pax } from "./pax.ts";

/** One member of a tar, with everything that its headers say about it put together. */
export interface Member {
  /** As written, and as `linkname` in bytes: cleaning them is the reader's matter. */
  readonly name: Buffer;
  readonly linkname: Buffer;
  /** `0` file, `1` hard link, `2` symlink, `3` and `4` devices, `5` folder, `6` fifo. */
  readonly type: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime_s: number;
  readonly mtime_ns: number;
  readonly major: number;
  readonly minor: number;
  readonly pax: Pax;
  /** Of the file, holes included. */
  readonly size_bytes: number;
  /** Where the stored bytes go; one segment for a file without holes, none for what is no file. */
  readonly segments: readonly Segment[];
  /** The stored bytes: once, and only before the next member is asked for. What is left unread is skipped. */
  readonly stored: () => AsyncGenerator<Uint8Array>;
}
