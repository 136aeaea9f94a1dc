import { type BoxEnd, BoxOrder, decodeJson, FRAME } from "@mayfly/contract";
import type { Requester } from "../requests/requester.ts";
import type { KeptBox, Listener, Run } from "./kept-box.ts";
import { signalOf } from "./lifecycle.ts";

/** Somebody reads what a box writes and writes what it reads, until it has ended or they go away; it goes on without them. */
export async function attach(
  box: KeptBox,
  start: ((listener: Listener) => Promise<Run>) | null,
  requester: Requester,
): Promise<BoxEnd> {
  const listener: Listener = (type, bytes) => requester.channel.send(type, bytes);
  const run = start ? await start(listener) : box.running();
  run.listeners.add(listener);
  const gone = Promise.withResolvers<never>();
  // The one whose failure nobody waits for, when the box was faster.
  gone.promise.catch(() => {});
  void obey(run, requester).catch(gone.reject);
  try {
    return await Promise.race([run.over, gone.promise]);
  } finally {
    run.listeners.delete(listener);
  }
}

/** What they send. Never resolves. @throws Error when they go away, or send what cannot be understood */
async function obey({ box }: Run, requester: Requester): Promise<never> {
  for (;;) {
    const frame = await requester.next();
    if (frame.type === FRAME.RECORD) follow(BoxOrder.parse(decodeJson(frame)), box);
    else if (frame.type === FRAME.DATA && box.terminal) await box.terminal.type(frame.payload);
    else if (frame.type === FRAME.END) box.stdin?.end();
    else if (frame.type !== FRAME.DATA) throw new Error(`a frame of type ${frame.type} came from who is attached`);
    else if (box.stdin?.writable && !box.stdin.write(frame.payload)) await drained(box.stdin);
  }
}

function follow(order: BoxOrder, box: Run["box"]): void {
  if ("signal" in order) box.signal(signalOf(order.signal));
  else box.terminal?.resize(order);
}

function drained(stream: NodeJS.WritableStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      for (const event of ["drain", "close"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close"]) stream.on(event, done);
  });
}
