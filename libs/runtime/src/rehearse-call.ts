import { rmSync, writeFileSync } from "node:fs";
import { encodeFrame, FRAME } from "@mayfly/contract";
import { Life } from "./life.ts";
import { Wire } from "./wire.ts";

const SOURCE = 'export default { async fetch(request) { return new Response("x" + (await request.text())); } };\n';

/**
 * A call that nobody made, over a pair of sockets and with a module of ours from a file: all of a box's life, so that a fork finds it
 * compiled. `pair` is used up; the file is gone afterwards.
 */
export async function rehearseCall(pair: readonly [number, number], name: string, method: string): Promise<void> {
  const path = `/tmp/${name}.mjs`;
  const wire = new Wire(pair[0]);
  const worker = new Wire(pair[1]);
  try {
    writeFileSync(path, SOURCE);
    const ended = new Promise<void>((resolve) => {
      void new Life({ wire, exit: () => resolve(), guard: () => {} }).live();
    });
    await askFor(worker, path, method);
    await worker.finish();
    await ended;
  } finally {
    rmSync(path, { force: true });
    delete (globalThis as { require?: NodeJS.Require }).require;
    await Promise.all([wire.watch(), worker.watch()]);
  }
}

/** The worker's part. */
async function askFor(worker: Wire, module: string, method: string): Promise<void> {
  await worker.json(FRAME.INIT, { module, contract: "fetch", mode: "serve" });
  await worker.next();
  await worker.json(FRAME.HEAD, {
    method,
    target: "/a?b=c",
    headers: [["host", "localhost"]],
    origin: "http://localhost",
    invocation: "rehearsal",
    deadline_ms: 0,
  });
  if (method !== "GET") await worker.send(FRAME.DATA, encodeFrame(FRAME.DATA, new Uint8Array(8)));
  await worker.send(FRAME.END, new Uint8Array(0));
  while (((await worker.next())?.type ?? FRAME.END) !== FRAME.END);
}
