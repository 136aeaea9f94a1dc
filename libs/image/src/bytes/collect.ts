const OFTEN_BYTES = 1024 * 1024;
let passed_bytes = 0;

/**
 * To be told of bytes that came from a socket or go to one, in a process whose Node was started with `--expose-gc`; else it does nothing.
 * V8 looks for young garbage when its own heap has grown, and a buffer of Node's is a few bytes of that, however much it holds outside: tens of
 * MiB of read buffers would lie about. A collection of so small a young generation takes less than a millisecond.
 */
export function passed(bytes: number): void {
  passed_bytes += bytes;
  if (passed_bytes < OFTEN_BYTES) return;
  passed_bytes = 0;
  void globalThis.gc?.({ type: "minor" });
}
