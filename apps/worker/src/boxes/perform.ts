import type { BoxTask, BoxVerb, Frame } from "@mayfly/contract";
import type { WorkerDeps } from "../deps.ts";
import { found, movable } from "../images/names.ts";
import type { Requester } from "../requests/requester.ts";
import type { Answer } from "../requests/serve.ts";
import { attach } from "./attach.ts";
import { configOf } from "./config.ts";
import type { KeptBox } from "./kept-box.ts";
import { kill, pause, signalOf, stop, unpause, wait, whileStill } from "./lifecycle.ts";
import { viewOf } from "./view.ts";

type Task<V extends BoxVerb> = Extract<BoxTask, { verb: V }>;
export type BoxDeps = Pick<WorkerDeps, "kept" | "store" | "registries" | "host">;

/** Does what a request asks for. @throws Fault, ImageError */
export async function perform(task: BoxTask, deps: BoxDeps, requester: Requester): Promise<Answer> {
  const { kept, host } = deps;
  if (task.verb === "create") return { result: await create(task, deps) };
  if (task.verb === "list") {
    const boxes = kept.all().filter(({ status }) => task.all || status === "running" || status === "paused");
    return { result: { boxes: boxes.map((box) => viewOf(box, host)) } };
  }
  const box = kept.find(task.box);
  const view = async (done: Promise<unknown>) => {
    await done;
    return { result: viewOf(box, host) };
  };
  switch (task.verb) {
    case "inspect":
      return { result: viewOf(box, host) };
    case "start":
      return view(kept.start(box));
    case "stop":
      return view(stop(box, task.timeout_s));
    case "kill":
      return view(kill(box, signalOf(task.signal)));
    case "pause":
      return view(pause(box));
    case "unpause":
      return view(unpause(box));
    case "wait":
      return { result: await wait(box) };
    case "logs":
      return { frames: logs(task, box, requester) };
    case "attach":
      return { result: await attach(box, task.start ? (listener) => kept.start(box, listener) : null, requester) };
    case "commit":
      return { result: await commit(task, box, deps) };
    case "export":
      return { bytes: deps.store.exportBox(box.record.image, writableOf(box)) };
    case "changes":
      return { result: { changes: await Array.fromAsync(deps.store.changes(box.record.image, writableOf(box))) } };
    case "remove":
      return { result: await remove(task, box, deps) };
  }
}

async function create({ wanted, start }: Task<"create">, deps: BoxDeps) {
  const { kept, host } = deps;
  const box = await kept.create(wanted, await found(wanted.image, deps));
  if (start) {
    await kept.start(box).catch(async (error) => {
      await kept.remove(box);
      throw error;
    });
  }
  return viewOf(box, host);
}

function logs({ follow }: Task<"logs">, box: KeptBox, { gone }: Requester): AsyncGenerator<Frame> {
  const left = new Promise((resolve) => gone.addEventListener("abort", resolve, { once: true }));
  return box.log.read(follow && box.run ? Promise.race([box.run.over, left]) : null);
}

async function commit(task: Task<"commit">, box: KeptBox, { store }: BoxDeps) {
  // Before anything is packed: a name that cannot be must not cost a layer.
  const reference = task.reference === null ? null : movable(task.reference);
  const { author, message, changes } = task;
  const { image, wanted } = box.record;
  const config = configOf(wanted, (await store.image(image)).config.config);
  const digest = await whileStill(box, task.pause, () =>
    store.commit({
      ...{ image, config, writable: writableOf(box), changes, created: new Date() },
      created_by: box.record.args.join(" "),
      ...(author !== null && { author }),
      ...(message !== null && { message }),
    }),
  );
  if (reference !== null) await store.tag(reference, digest);
  return { reference, digest };
}

async function remove({ force }: Task<"remove">, box: KeptBox, { kept, host }: BoxDeps) {
  const view = viewOf(box, host);
  if (force && box.run) await kill(box, "SIGKILL");
  await kept.remove(box);
  return view;
}

const writableOf = ({ disk, record }: KeptBox) => ({ upper: `${disk}/u`, id_base: record.id_base });
