import type { Ending } from "@mayfly/contract";
import type { PlannedMount, RunStep } from "../plan/step.ts";
import { DockerfileError } from "../source/failure.ts";
import { accountIn } from "./accounts.ts";
import { DockerfileBuildError } from "./failure.ts";
import { runKey } from "./key.ts";
import type { RunMount } from "./ports.ts";
import type { StageFiles } from "./stage-files.ts";
import { remembered, type StepParts, type StepResult } from "./step.ts";

/** Runs a RUN and makes a layer of what it wrote. @throws DockerfileBuildError when it ends otherwise than with exit code 0 */
export async function runStep(step: RunStep, below: StageFiles, parts: StepParts): Promise<StepResult> {
  if (step.security === "insecure") {
    throw new DockerfileError(
      "RUN --security=insecure is not possible here: programs of a build have no more rights than others",
    );
  }
  if (step.network === "host") {
    throw new DockerfileError("RUN --network=host is not possible here: a build has a network of its own, or none");
  }
  const { home, ...user } = await accountIn(step.user, below.tree, parts.contents);
  const has = (name: string) => step.env.some((pair) => pair.startsWith(`${name}=`));
  const env = [...(has("HOME") ? [] : [`HOME=${home}`]), ...step.env];
  const { args, cwd, network, script } = step;
  const request = { args, env, cwd, user, network, script };
  const key = runKey(below.diff_ids, request, await Promise.all(step.mounts.map((mount) => identity(mount, parts))));
  return remembered(key, parts, async () => {
    const image = await parts.imageOfFiles(below);
    if (image === null)
      throw new DockerfileError("there is nothing to run in an empty stage: FROM something, or COPY a program");
    const proxied = { ...request, env: [...step.proxies, ...env] };
    const result = await parts.run(
      {
        ...proxied,
        rootfs: await parts.store.rootfs(image),
        mounts: await Promise.all(step.mounts.map((mount) => withFiles(mount, parts))),
        onOutput: parts.onOutput,
      },
      parts.signal,
    );
    try {
      parts.signal.throwIfAborted();
      requireSuccess(result.ending, step, parts.dockerfile);
      const layer = await parts.store.diff(image, result.writable, { compression: "gzip" });
      return layer ?? (await parts.store.addLayer([], { compression: "gzip" }));
    } finally {
      await result.release();
    }
  });
}

/** What a mount brings into a RUN, for its key. */
async function identity(mount: PlannedMount, { treeOf }: StepParts): Promise<unknown> {
  const { origin, ...rest } = mount;
  if (origin.kind === "scratch" || mount.type !== "bind") return { ...rest, origin: origin.kind };
  const tree = await treeOf(origin);
  const root = tree.resolve(mount.source);
  if (!tree.at(root)) throw new DockerfileError(`"/${root}": not found`);
  const files: unknown[] = [];
  const walk = (path: string) => {
    const { mtime_s: _, mtime_ns: __, source: ___, ...node } = { source: undefined, ...tree.at(path)! };
    files.push(node);
    for (const name of tree.names(path)) walk(path === "" ? name : `${path}/${name}`);
  };
  walk(root);
  return { ...rest, files };
}

async function withFiles(mount: PlannedMount, { imageOf, store }: StepParts): Promise<RunMount> {
  if (mount.origin.kind === "scratch" || (mount.type !== "bind" && mount.type !== "cache"))
    return { ...mount, rootfs: null };
  const image = await imageOf(mount.origin);
  return { ...mount, rootfs: image === null ? null : await store.rootfs(image) };
}

function requireSuccess(ending: Ending, step: RunStep, dockerfile: string): void {
  if (ending.kind === "exit" && ending.code === 0) return;
  const how = howItEnded(ending);
  const message = `process "${step.args.join(" ")}" did not complete successfully: ${how}`;
  throw new DockerfileBuildError(message, dockerfile, step.range, ending);
}

function howItEnded(ending: Ending): string {
  switch (ending.kind) {
    case "exit":
      return `exit code: ${ending.code}`;
    case "signal":
      return `signal: ${ending.signal}`;
    case "timeout":
      return "it took too long";
    case "out_of_memory":
      return "it needed more memory than it has";
    case "killed":
      return `it was stopped: ${ending.reason}`;
    case "refused":
      return `no box could be made for it: ${ending.step}: ${ending.errno} (${ending.message})`;
  }
}
