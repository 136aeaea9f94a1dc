import type { Ending } from "@mayfly/contract";
import { formatPlatform, HOST_PLATFORM } from "@mayfly/image";
import type { RunStep } from "../plan/step.ts";
import { DockerfileError } from "../source/failure.ts";
import { accountIn } from "./accounts.ts";
import { DockerfileBuildError } from "./failure.ts";
import { hostsMount } from "./hosts.ts";
import { runKey } from "./key.ts";
import { withMountPoints } from "./mount-points.ts";
import { findMounts, HIGHEST_ID, runMounts, secretVariables } from "./run-mounts.ts";
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
  for (const id of [user.uid, user.gid, ...user.groups]) {
    if (id > HIGHEST_ID)
      throw new DockerfileError(
        `nothing can run as ${id} (USER ${step.user}): programs have the ids 0 to ${HIGHEST_ID}`,
      );
  }
  const has = (name: string) => step.env.some((pair) => pair.startsWith(`${name}=`));
  const env = [...(has("HOME") ? [] : [`HOME=${home}`]), ...step.env];
  const { args, cwd, network, script } = step;
  const request = { args, env, cwd, user, network, script };
  const mounts = await findMounts(step.mounts, below.tree, parts);
  const identities = mounts.map(({ identity }) => identity);
  const named = step.hosts.length > 0 ? [{ hosts: step.hosts }] : [];
  const key = runKey(below.digests, request, [...identities, ...named]);
  return remembered(key, parts, async () => {
    const image = await parts.imageOfFiles(below);
    if (image === null)
      throw new DockerfileError("there is nothing to run in an empty stage: FROM something, or COPY a program");
    const whole = {
      ...request,
      env: [...step.proxies, ...env, ...secretVariables(mounts)],
      rootfs: await withMountPoints(image, mounts, below.tree, parts),
      mounts: [...hostsMount(step.hosts, mounts, below.tree), ...(await runMounts(mounts, parts))],
      onOutput: parts.onOutput,
    };
    const result = await parts.run(whole, parts.signal);
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

function requireSuccess(ending: Ending, step: RunStep, dockerfile: string): void {
  if (ending.kind === "exit" && ending.code === 0) return;
  const message = `process "${step.args.join(" ")}" did not complete successfully: ${howItEnded(ending, step)}`;
  throw new DockerfileBuildError(message, dockerfile, step.range, ending);
}

function howItEnded(ending: Ending, { args: [program] }: RunStep): string {
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
      // execve(2): its interpreter may be what is missing, of a script or of a program that is linked dynamically.
      if (ending.step === "exec" && ending.errno === "ENOENT")
        return `exec: "${program}" is not in the image, or what it is run by is not`;
      if (ending.step === "exec" && ending.errno === "EACCES") return `exec: "${program}" may not be run by its user`;
      if (ending.step === "exec" && ending.errno === "ENOEXEC")
        return `exec: "${program}" is no program of this machine (${formatPlatform(HOST_PLATFORM)})`;
      return `no box could be made for it: ${ending.step}: ${ending.errno} (${ending.message})`;
  }
}
