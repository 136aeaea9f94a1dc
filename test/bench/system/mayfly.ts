import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type RootFs, VersionSpec } from "@mayfly/contract";
import { openImageStore } from "@mayfly/image";
import { type System, startSystem } from "../../e2e/system.ts";
import { childrenOf } from "../measure/cpu.ts";

/** As `npm test` builds it. */
const LAYER_TREE = join(import.meta.dirname, "../../../build/native/layer-tree");

/** The handler that everybody runs: ours deployed, the others from the same file. */
export const HANDLER = join(import.meta.dirname, "..", "programs", "handler.mjs");

/** A running system, started as `npm start` does, with the handler deployed as `hello`. */
export interface Mayfly {
  readonly system: System;
  readonly hello: VersionSpec;
  /** The layers of `hello`, as its boxes get them. */
  readonly rootfs: RootFs;
  /** Its processes, boxes apart: name → pid. What the worker has started (launcher, nursery) is named as it names itself. */
  processes(): Readonly<Record<string, number>>;
  /** @throws Error with what was answered when the function is not live at once */
  deploy(name: string, source: string, query?: string): Promise<VersionSpec>;
}

export async function startMayfly(env: Readonly<Record<string, string>> = {}): Promise<Mayfly> {
  const system = await startSystem(env);
  const deploy: Mayfly["deploy"] = async (name, source, query) => {
    const answer = await system.deploy(name, source, query);
    const body = await answer.text();
    if (!answer.ok || answer.status === 202) throw new Error(`deploy of ${name}: ${answer.status} ${body}`);
    return VersionSpec.parse(JSON.parse(body));
  };
  try {
    const hello = await deploy("hello", readFileSync(HANDLER, "utf8"));
    const store = await openImageStore(join(system.home, "images"), { layerTree: LAYER_TREE });
    return { system, hello, rootfs: await store.rootfs(hello.image), processes: () => processesOf(system), deploy };
  } catch (error) {
    await system.stop();
    throw error;
  }
}

const commOf = (pid: number): string => readFileSync(`/proc/${pid}/comm`, "utf8").trim();

function processesOf(system: System): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of ["gateway", "worker", "redis"] as const) {
    const pid = system.pid(name);
    if (pid === null) throw new Error(`${name} does not run\n${system.output().slice(-2000)}`);
    found[name] = pid;
  }
  for (const pid of childrenOf(found.worker!)) {
    found[commOf(pid).replace("mayfly-", "")] = pid;
  }
  // The launcher's children are boxes, whose first program is its own, and a Node that is in none: forks are the nursery's children.
  const nursery = childrenOf(found.launcher!).filter((pid) => commOf(pid) === "MainThread");
  if (nursery.length > 0) found.nursery = Math.min(...nursery);
  return found;
}
