import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Box, type BoxHost, type Nursery, openBoxHost } from "@mayfly/container";
import { FRAME, type InvokeJob, newInvocationId } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import { MODULE_PATH, NURSERY_ENV, nurseryCommand } from "@mayfly/runtime";
import { functionBox } from "../../../apps/worker/src/invoke/box-spec.ts";
import { load, noTraffic, started } from "../../../apps/worker/src/invoke/exchange.ts";
import { BUILD } from "../../../infra/src/root.ts";
import type { Subject } from "../measure/blocks.ts";
import { childrenOf } from "../measure/cpu.ts";
import type { Mayfly } from "../system/mayfly.ts";
import type { Way } from "./ways.ts";

/**
 * A fresh box for one request, as the worker does it (apps/worker/src/invoke) and without what is not the box: no queue, no gateway, no
 * bill. This process is the worker. Counts from the wish for a box to the first byte of the answer's body.
 */
export async function boxed(
  way: Way,
  mayfly: Mayfly,
  { dir, after }: { readonly dir: string; readonly after: AsyncDisposableStack },
): Promise<Subject> {
  const name = `bench-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const runDir = join(dir, name);
  mkdirSync(runDir, { mode: 0o700 });
  const others = new Set(childrenOf(process.pid));
  const host = await openBoxHost({
    instance: name,
    launcher: join(BUILD, "native", "launcher"),
    addon: join(BUILD, "native", "native.node"),
    runDir,
  });
  after.defer(() => host.close());
  const nursery = way.forked ? await nurseryOf(host, mayfly) : null;
  const forking = nursery === null ? [] : [nursery.pid];
  const started = childrenOf(process.pid).filter((pid) => !others.has(pid));
  return {
    name: way.name,
    pids: [process.pid, ...started, ...forking],
    run: () => once(host, mayfly, nursery?.id ?? null),
  };
}

/** Over the base alone: the topmost layer is the function's. */
async function nurseryOf(host: BoxHost, mayfly: Mayfly): Promise<Nursery> {
  const nursery = await host.openNursery({
    id: "nursery",
    lower: [join(BUILD, "native", "nursery"), ...mayfly.rootfs.lower.slice(1)],
    args: nurseryCommand(),
    env: NURSERY_ENV,
  });
  if (nursery.pid === 0) throw new Error(`there is no nursery: ${JSON.stringify(await nursery.ended)}`);
  return nursery;
}

/** A code function has our runner for its program. */
const NO_PROGRAM = { args: [], handler: "", env: [], cwd: "/", user: { uid: 0, gid: 0, groups: [] }, home: "/" };

async function once(host: BoxHost, mayfly: Mayfly, nursery: string | null): Promise<number> {
  const began = performance.now();
  const job = jobFor(mayfly);
  const box = await host.start(
    functionBox(
      { id: job.invocation, version: job.version, contracts: ["fetch"], call: job },
      mayfly.rootfs,
      NO_PROGRAM,
      nursery,
    ),
  );
  const channel = new FrameChannel(box.channel!);
  box.stdout.resume();
  box.stderr.resume();
  try {
    const firstByte = await exchange(box, channel, job);
    return firstByte - began;
  } finally {
    channel.destroy();
    box.kill({ kind: "killed", reason: "it has answered" });
    await box.ended;
    await box.remove();
  }
}

async function exchange(box: Box, channel: FrameChannel, job: InvokeJob): Promise<number> {
  const traffic = noTraffic();
  if (!(await started(box, channel))) throw new Error(`the box did not boot: ${JSON.stringify(await box.ended)}`);
  if (!(await load(channel, "fetch", MODULE_PATH, traffic)))
    throw new Error(`the handler did not load: ${traffic.boxError?.message}`);
  box.sample();
  await channel.sendJson(FRAME.HEAD, { ...job.head, invocation: job.invocation, deadline_ms: job.deadline_ms });
  await channel.send(FRAME.END);
  let firstByte: number | undefined;
  for await (const frame of channel.frames) {
    if (frame.type === FRAME.DATA) firstByte ??= performance.now();
    else if (frame.type !== FRAME.HEAD) break;
  }
  // It ends by itself now, as it does under the worker.
  channel.close();
  const ending = await box.ended;
  if (firstByte === undefined || ending.kind !== "exit" || ending.code !== 0)
    throw new Error(`the box answered with nothing, or ended badly: ${JSON.stringify(ending)}`);
  return firstByte;
}

const jobFor = ({ hello }: Mayfly): InvokeJob => ({
  invocation: newInvocationId(Date.now()),
  attempt: 1,
  trigger: "http",
  version: hello,
  head: { method: "GET", target: "/", headers: [["host", "localhost"]], origin: "http://localhost" },
  received_at_us: Date.now() * 1000,
  deadline_ms: Date.now() + hello.settings.timeout_ms,
  channel: "",
});
