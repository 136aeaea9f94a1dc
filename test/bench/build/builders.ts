import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { busyboxBase } from "../../conformance/builders/bases.ts";
import { Buildah } from "../../conformance/builders/buildah.ts";
import type { Builder } from "../../conformance/builders/builder.ts";
import { Docker } from "../../conformance/builders/docker.ts";
import { Mayfly } from "../../conformance/builders/mayfly.ts";
import { byTar } from "../../conformance/builders/packing.ts";
import type { Subject } from "../measure/blocks.ts";
import { dockerfile } from "./project.ts";

/** Who builds, and whose CPU that takes. */
export interface Contender {
  readonly builder: Builder;
  readonly name: string;
  readonly pids: readonly number[];
}

/** Ours first. Each has the base, and a store of its own on the same disk. */
export async function contenders(dir: string, after: AsyncDisposableStack): Promise<Contender[]> {
  const bases = [busyboxBase(dir)];
  const mayfly = await Mayfly.start(join(dir, "mayfly"), bases, byTar);
  after.defer(() => mayfly.close());
  const docker = await Docker.start(join(dir, "d"), bases);
  after.defer(() => docker.stop());
  const buildah = await Buildah.start(join(dir, "buildah"), bases, { driver: "overlay", layers: true });
  return [
    { builder: mayfly, name: "mayfly", pids: mayfly.pids },
    { builder: docker.builder("docker"), name: "docker build (BuildKit)", pids: [process.pid, ...docker.pids] },
    { builder: docker.builder("classic"), name: "docker build (classic)", pids: [process.pid, ...docker.pids] },
    { builder: buildah, name: "buildah build", pids: [process.pid] },
  ];
}

/** What is built again: everything, nothing, or what stands from the middle of the Dockerfile on. */
export type Again = "cold" | "cached" | "one line changed";

export function subjectOf({ builder, name, pids }: Contender, project: string, again: Again): Subject {
  let turn = 0;
  return {
    name,
    pids,
    async run() {
      turn += 1;
      const edit = again === "one line changed" ? `&& echo ${again} ${turn} > edited` : "";
      writeFileSync(join(project, "Dockerfile"), dockerfile(edit));
      const order = { dir: project, dockerfile: "Dockerfile", target: null, args: {}, noCache: again === "cold" };
      const began = performance.now();
      const built = await builder.build(order);
      const took = performance.now() - began;
      if ("refused" in built) throw new Error(`${name} did not build it: ${built.refused}`);
      return took;
    },
  };
}
