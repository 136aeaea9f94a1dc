import type { ImageTask, ImageVerb } from "@mayfly/contract";
import { ImageError } from "@mayfly/image";
import { pruneBuilds } from "../build/cache-upkeep.ts";
import type { WorkerDeps } from "../deps.ts";
import type { Requester } from "../requests/requester.ts";
import type { Answer } from "../requests/serve.ts";
import { found, history, inspect, known, list, movable, type Named, rollback, tag, untag } from "./names.ts";
import { pull, push, resolve } from "./registries.ts";
import { fsck, gc } from "./upkeep.ts";

type Task<V extends ImageVerb> = Extract<ImageTask, { verb: V }>;
type Deps = Pick<
  WorkerDeps,
  "store" | "importer" | "courier" | "registries" | "inUse" | "roots" | "spool" | "clock" | "buildCache" | "mountCaches"
>;

/** Does what a request asks for. @throws ImageError */
export async function perform(task: ImageTask, deps: Deps, requester: Requester): Promise<Answer> {
  const { store } = deps;
  const moving = { ...deps, signal: requester.gone, onProgress: requester.tell.bind(requester) };
  switch (task.verb) {
    case "list":
      return { result: await list(store) };
    case "inspect":
      return { result: await inspect(task.reference, deps) };
    case "history":
      return { result: await history(task.reference, deps) };
    case "tag":
      return { result: await tag(task.reference, task.image, deps) };
    case "untag":
      return { result: await untag(task.reference, deps) };
    case "log":
      return { result: { log: await requireLog(task.reference, deps) } };
    case "rollback":
      return { result: await rollback(task.reference, task.to, deps) };
    case "save":
      return { bytes: store.save(await named(task.references, deps), task.format) };
    case "export":
      return { bytes: store.export(await found(task.reference, deps)) };
    case "load":
      return { result: { images: await store.load(requester.body(), { acceptTag: movable }) } };
    case "import":
      return { result: await importRoot(task, deps, requester) };
    case "pull":
      return { result: await pull(task, moving) };
    case "push":
      return { result: await push(task, moving) };
    case "resolve":
      return { result: await resolve(task, moving) };
    case "gc":
      return { result: await gc(task, deps) };
    case "prune_builds":
      return { result: await pruneBuilds(task, deps) };
    case "fsck":
      return { result: await fsck(task, deps) };
  }
}

async function requireLog(reference: string, deps: Named) {
  const log = await deps.store.tagLog(await known(reference, deps));
  if (log.length === 0) throw new ImageError("missing", `there is no tag ${reference}`);
  return log;
}

/** An image that is saved by a tag has that tag where it is loaded. */
async function named(references: readonly string[], deps: Named) {
  const all = await deps.store.tags();
  return Promise.all(
    references.map(async (reference) => {
      const digest = await found(reference, deps);
      const name = await known(reference, deps).catch(() => ""); // A digest alone is no name.
      return { digest, tags: all.get(name) === digest ? [name] : [] };
    }),
  );
}

async function importRoot(task: Task<"import">, { store, clock }: Deps, requester: Requester) {
  const reference = movable(task.reference);
  const created = new Date(clock.epochUs() / 1000);
  const message = task.message === null ? {} : { message: task.message };
  const digest = await store.import(requester.body(), { changes: task.changes, ...message, created });
  await store.tag(reference, digest);
  return { reference, digest };
}
