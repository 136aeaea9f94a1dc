import { decodeJson, FRAME, FRAME_MAX_BYTES } from "@mayfly/contract";
import type { FrameChannel } from "./frame-channel.ts";

/** The log of a call is in its record: one of many short lines takes a multiple of its bytes as JSON. */
export const RECORD_MAX_BYTES = 128 * 1024 * 1024;

/** Sends a record of any size: what does not fit in one RECORD frame goes before it as DATA. @throws Error when the peer is gone */
export async function sendRecord(channel: FrameChannel, record: unknown): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(record));
  let at = 0;
  for (; bytes.byteLength - at > FRAME_MAX_BYTES; at += FRAME_MAX_BYTES)
    await channel.send(FRAME.DATA, bytes.subarray(at, at + FRAME_MAX_BYTES));
  await channel.send(FRAME.RECORD, bytes.subarray(at));
}

/** Records as `sendRecord` sends them, until the peer closes. @throws Error on anything else, and over RECORD_MAX_BYTES */
export async function* receiveRecords(channel: FrameChannel): AsyncGenerator<unknown, void> {
  let parts: Uint8Array[] = [];
  let size = 0;
  for await (const frame of channel.frames) {
    if (frame.type !== FRAME.DATA && frame.type !== FRAME.RECORD)
      throw new Error(`frame ${frame.type} where a record was expected`);
    size += frame.payload.byteLength;
    if (size > RECORD_MAX_BYTES) throw new Error(`a record is over ${RECORD_MAX_BYTES} bytes`);
    parts.push(frame.payload);
    if (frame.type === FRAME.DATA) continue;
    const payload = parts.length === 1 ? frame.payload : Buffer.concat(parts);
    parts = [];
    size = 0;
    yield decodeJson({ type: FRAME.RECORD, payload });
  }
}
