import { FRAME } from "@mayfly/contract";
import type { Wire } from "@mayfly/runtime";

/** What the host sends as DATA, up to END. */
export async function* received(wire: Wire): AsyncGenerator<Uint8Array> {
  for (let frame = await wire.next(); frame?.type !== FRAME.END; frame = await wire.next()) {
    if (frame?.type !== FRAME.DATA) throw new Error("the source broke off");
    yield frame.payload;
  }
}
