import { rmSync, writeFileSync } from "node:fs";
import { decodeJson, encodeFrame, FRAME, type RequestHead } from "@mayfly/contract";
import { checkResponse, sendResponse } from "./answer.ts";
import { findHandler } from "./handler.ts";
import { loadModule } from "./load-module.ts";
import { requestBody, Wire } from "./wire.ts";

const SOURCE = 'export default { async fetch(request) { return new Response("x" + (await request.text())); } };\n';

/**
 * A call that nobody made, over a pair of sockets and with a module of ours from a file: what life.ts does, so that a fork finds it
 * compiled, and the memory that it takes its own. `pair` is used up; the file is gone afterwards.
 */
export async function rehearseCall(pair: readonly [number, number], name: string): Promise<void> {
  const path = `/tmp/${name}.mjs`;
  const box = new Wire(pair[0]);
  const worker = new Wire(pair[1]);
  try {
    writeFileSync(path, SOURCE);
    await worker.json(FRAME.INIT, { module: path, contract: "fetch", mode: "serve" });
    decodeJson((await box.next())!);
    const { handler, exports } = findHandler(await loadModule(path));
    await box.json(FRAME.READY, { exports, contract: "fetch" });
    await worker.next();
    await worker.json(FRAME.HEAD, {
      method: "POST",
      target: "/a?b=c",
      headers: [["host", "localhost"]],
      origin: "http://localhost",
    });
    await worker.send(FRAME.DATA, encodeFrame(FRAME.DATA, new Uint8Array(8)));
    await worker.send(FRAME.END, new Uint8Array(0));
    const head = decodeJson((await box.next())!) as RequestHead;
    const request = new Request(new URL(head.target, head.origin), {
      method: head.method,
      headers: head.headers.map(([key, value]): [string, string] => [key, value]),
      signal: new AbortController().signal,
      body: requestBody(box),
      duplex: "half",
    } as RequestInit);
    await sendResponse(box, checkResponse(await handler!(request, {}, NO_CONTEXT)), true);
    while ((await worker.next())?.type !== FRAME.END);
  } finally {
    rmSync(path, { force: true });
    await Promise.all([box.finish(), worker.finish()]);
    await Promise.all([box.watch(), worker.watch()]);
  }
}

const NO_CONTEXT = { waitUntil: () => {}, invocation: "", deadline: 0 };
