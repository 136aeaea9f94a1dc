import { pipeline, type Readable, Transform } from "node:stream";
import { formatBytes } from "@mayfly/contract";

/** Bytes on their way to the server; of what takes longer than `everyMs` it is said how much has gone. */
export function told(body: Readable, say: (line: string) => void, everyMs = 5_000): Readable {
  let sent = 0;
  const timer = setInterval(() => say(`sending the context: ${formatBytes(sent)}`), everyMs);
  const counting = new Transform({
    transform(chunk: Uint8Array, _, done) {
      sent += chunk.byteLength;
      done(null, chunk);
    },
  });
  return pipeline(body, counting, () => clearInterval(timer));
}
