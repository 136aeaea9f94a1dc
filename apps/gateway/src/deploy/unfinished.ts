import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Build } from "@mayfly/catalog";
import { BUILD_TIMEOUT_MS, type BuildJob, type Digest, type UploadKind } from "@mayfly/contract";
import type { GatewayDeps } from "../deps.ts";
import { settleBuild } from "./settle.ts";

/** Longer than any build takes, waiting for a worker included. */
const PATIENCE_MS = 2 * BUILD_TIMEOUT_MS;
const CHECK_MS = 30_000;

/**
 * Builds that a gateway before this one accepted: their jobs are queued again, whatever became of Redis meanwhile (a job that is there
 * stays the only one). Uploads that belong to none of them are removed. Resolves when that is done, or the signal fires.
 */
export async function resumeBuilds(deps: GatewayDeps, signal: AbortSignal): Promise<void> {
  const builds = await deps.catalog.unfinishedBuilds();
  const wanted = new Set<string>(builds.map((build) => build.id));
  for (const file of await readdir(deps.uploads))
    if (!wanted.has(file)) await rm(join(deps.uploads, file), { force: true });
  for (const build of builds) {
    deps.builds.begin(build.id);
    while (!signal.aborted && !(await resume(build, deps))) await sleep(500, undefined, { signal }).catch(() => {});
  }
}

const sizeOf = (path: string): Promise<number | null> =>
  stat(path).then(
    (found) => found.size,
    () => null,
  );

/** False: Redis is away. */
async function resume(build: Build, deps: GatewayDeps): Promise<boolean> {
  const path = join(deps.uploads, build.id);
  const size = isImage(build) ? 0 : await sizeOf(path);
  if (size === null) {
    await giveUp(build, "its source was lost before it was built", deps);
    return true;
  }
  try {
    // A job that failed for good would keep the new one out; one that runs stays, and the new one is none.
    await deps.producer.removeBuild(build.id);
    await deps.producer.build(jobOf(build, size, deps));
    return true;
  } catch {
    return false;
  }
}

/** An image lies in a registry, anything else was uploaded. */
const isImage = (build: Build): boolean => build.source_digest.split("/")[1] === "image";

/** The job of a build that has its upload, or of one that needs none. */
export function jobOf(build: Build, size_bytes: number, deps: Pick<GatewayDeps, "channel">): BuildJob {
  const [digest, kind, ...rest] = build.source_digest.split("/") as [Digest, UploadKind | "image", ...string[]];
  const name = rest.join("/");
  return {
    build: build.id,
    function: build.function,
    options: build.options,
    source:
      kind === "image" ? { kind, digest, repository: name || null } : { kind, file_name: name, digest, size_bytes },
    settings: build.settings,
    channel: deps.channel,
  };
}

/** Ends builds of which nothing was heard for longer than any build takes: their workers died of them, or none came. */
export function expireBuilds(deps: GatewayDeps): { stop(): void } {
  const check = async () => {
    const before = new Date(Date.now() - PATIENCE_MS).toISOString();
    for (const build of await deps.catalog.unfinishedBuilds(before)) {
      await deps.producer.removeBuild(build.id);
      await giveUp(build, `no worker had finished it after ${PATIENCE_MS / 60_000} minutes`, deps);
    }
  };
  const timer = setInterval(
    () => void check().catch((error) => deps.log.error({ err: error }, "builds cannot be looked through")),
    CHECK_MS,
  );
  return { stop: () => clearInterval(timer) };
}

async function giveUp(build: Build, message: string, deps: GatewayDeps): Promise<void> {
  await deps.catalog.finishBuild({
    build: build.id,
    function: build.function,
    ended_at: new Date().toISOString(),
    duration_us: 0,
    log_tail: [],
    usage: null,
    bill: null,
    outcome: { status: "error", error: { code: "internal", message, hint: "deploy it again" } },
  });
  await settleBuild(build.id, deps);
}
