import type { Digest } from "@mayfly/contract";
import { HOST_PLATFORM, type ImageStore } from "@mayfly/image";
import type { FileTree } from "../files/file-tree.ts";
import type { BaseImage } from "../plan/config.ts";
import { type Plan, type PlanOptions, planBuild } from "../plan/plan.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";
import { Execution } from "./execution.ts";
import { DockerfileBuildError } from "./failure.ts";
import type { BuildCache, BuildEvent, Fetch, RunProgram } from "./ports.ts";

export interface DockerfileBuild {
  readonly dockerfile: string;
  readonly options: Omit<PlanOptions, "platform">;
  /** The files of the context, without what is left out of it; null: there is none. */
  readonly context: FileTree | null;
  readonly store: ImageStore;
  /** Finds an image by the name that the Dockerfile has for it. @throws Error that says why there is none */
  readonly resolveImage: (reference: string, platform: string | null) => Promise<Digest>;
  readonly run: RunProgram;
  /** By their ids. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly fetch: Fetch;
  readonly cache: BuildCache;
  /** Nothing that was made before is used. */
  readonly noCache: boolean;
  readonly now: Date;
  /** SOURCE_DATE_EPOCH: takes the place of every time that the build would give. */
  readonly epoch: Date | null;
  readonly onEvent: (event: BuildEvent) => void;
  readonly signal: AbortSignal;
}

/** Dockerfile → image. @returns the manifest's digest @throws DockerfileBuildError; what else fails is not the Dockerfile's fault */
export async function buildDockerfile(build: DockerfileBuild): Promise<Digest> {
  try {
    const images = new Map<string, Digest>();
    const plan = await planned(build, images);
    for (const warning of plan.warnings) build.onEvent({ event: "warning", warning });
    if (plan.unused.length > 0) build.onEvent({ event: "unused_args", names: plan.unused });
    return await new Execution(plan, images, build).image();
  } catch (error) {
    if (error instanceof DockerfileError) throw DockerfileBuildError.of(error, build.dockerfile);
    throw error;
  }
}

/** Finds the images that the plan wants, until it wants no more. */
async function planned(build: DockerfileBuild, digests: Map<string, Digest>): Promise<Plan> {
  const { os, architecture, variant } = HOST_PLATFORM;
  const options = { ...build.options, platform: { os, architecture, ...(variant !== undefined && { variant }) } };
  const images = new Map<string, BaseImage>();
  for (;;) {
    const result = planBuild(build.dockerfile, images, options);
    if ("plan" in result) return result.plan;
    for (const { reference, platform, range } of result.wanted) {
      const digest = await found(() => build.resolveImage(reference, platform), reference, range);
      digests.set(reference, digest);
      const { config } = await build.store.image(digest);
      images.set(reference, { config: config.config, ...(config.author !== undefined && { author: config.author }) });
    }
  }
}

async function found(resolve: () => Promise<Digest>, reference: string, range: Range): Promise<Digest> {
  try {
    return await resolve();
  } catch (error) {
    throw new DockerfileError(`${reference}: ${error instanceof Error ? error.message : String(error)}`, range);
  }
}
