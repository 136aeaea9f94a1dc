import type { Box } from "@mayfly/container";
import { type BoxHead, type Contract, FRAME } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import { MODULE_PATH } from "@mayfly/runtime";
import { load, passRequest, passResponse, started, type Traffic } from "../invoke/exchange.ts";
import type { Exchange, Program } from "./program.ts";

/** The contracts `fetch` and `lambda` of modules: our runtime loads the module and speaks frames over its descriptor 3. It ends by itself. */
export class ModuleProgram implements Program {
  readonly takesOutput = false;
  readonly #box: Box;
  readonly #contract: Contract;
  readonly #inside: FrameChannel;

  constructor(box: Box, contract: Contract) {
    this.#box = box;
    this.#contract = contract;
    this.#inside = new FrameChannel(box.channel!);
  }

  async initialise(traffic: Traffic, onMade: () => void): Promise<boolean> {
    if (!(await started(this.#box, this.#inside))) return false;
    onMade();
    return load(this.#inside, this.#contract, MODULE_PATH, traffic);
  }

  async answer({ job, gateway, traffic, timing }: Exchange): Promise<void> {
    const inside = this.#inside;
    const { invocation, deadline_ms } = job;
    await inside.sendJson(FRAME.HEAD, { ...job.head, invocation, deadline_ms } satisfies BoxHead);
    // The request may go on after the answer is complete; the answer may be complete before the request is.
    const sink = { data: (bytes: Uint8Array) => inside.send(FRAME.DATA, bytes), end: () => inside.send(FRAME.END) };
    void passRequest(gateway.frames, sink, traffic)
      .catch(() => {
        // The box closed its end: its ending says why.
      })
      .then(() => traffic.clientGone && this.#box.kill({ kind: "killed", reason: "the caller went away" }));
    await passResponse(inside, gateway, timing, traffic).catch(() => {
      traffic.clientGone ||= !traffic.complete;
    });
    // The box waits for it: an answer must not be overtaken by what is still sent to a box that ends.
    if (traffic.complete || traffic.boxError !== null) inside.close();
  }

  close(): void {
    this.#inside.destroy();
  }
}
