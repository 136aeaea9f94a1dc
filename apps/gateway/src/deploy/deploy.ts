import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { Build, Version } from "@mayfly/catalog";
import {
  type BuildId,
  type BuildJob,
  type BuildOptions,
  DEFAULT_SETTINGS,
  Fault,
  FIXED_LIMITS,
  type FunctionName,
  isPinned,
  newBuildId,
  parseSettings,
  type Settings,
} from "@mayfly/contract";
import type { GatewayDeps } from "../deps.ts";
import { readReference } from "./reference.ts";
import { referencedImage } from "./referenced-image.ts";
import { settleBuild } from "./settle.ts";
import { sourceKind } from "./source-kind.ts";
import { jobOf } from "./unfinished.ts";
import { spoolUpload, tooLarge, type Upload } from "./upload.ts";

export interface DeployRequest {
  /** Null: an image is wanted, and no version. */
  readonly name: FunctionName | null;
  readonly body: Readable;
  /** Size as the client announced it. */
  readonly announcedBytes: number;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
  /** As the client called us: `localhost:8080`. */
  readonly host: string | undefined;
  /** Of a form they may be complete only when the body has ended. */
  readonly settings: () => Iterable<readonly [string, string | null]>;
  /** As the settings. */
  readonly options: () => BuildOptions;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
}

export type Deployed =
  | { readonly kind: "same"; readonly version: Version }
  | { readonly kind: "building"; readonly build: Build };

/**
 * Takes a source in. The same source with the same settings is the same version again; anything else becomes a build.
 * @throws Fault; nothing is left of what was refused
 */
export async function deploy(request: DeployRequest, deps: GatewayDeps): Promise<Deployed> {
  const now = new Date().toISOString();
  const before = request.name === null ? null : await deps.catalog.function(request.name);
  const read = () => parseSettings(request.settings(), before?.live?.settings ?? DEFAULT_SETTINGS);
  read();
  request.options(); // What is wrong already is told before the upload.
  const most = request.name === null ? FIXED_LIMITS.context_bytes : FIXED_LIMITS.source_bytes;
  if (request.announcedBytes > most) throw tooLarge(request.announcedBytes, most);
  const id = newBuildId(Date.now());
  const path = join(deps.uploads, id);
  const upload = await spoolUpload(request.body, path, most);
  try {
    const settings = read();
    if (upload.size_bytes === 0) {
      throw new Fault("bad_request", {
        detail: "the body is empty",
        hint: "send a module or an archive: curl -T hello.ts …",
      });
    }
    const source_digest = await identity(request, id, upload, deps);
    const options = request.options();
    const same = await sameVersion(request.name, source_digest, settings, options, deps);
    if (same) {
      const { function: name, version } = same;
      if (before?.live?.version !== version) await deps.catalog.point(name, "live", version, now);
      await rm(path, { force: true });
      return { kind: "same", version: same };
    }
    await deps.catalog.createBuild({ id, function: request.name, created_at: now, source_digest, settings, options });
    deps.builds.begin(id);
    deps.secrets.keep(id, request.secrets);
    const build = (await deps.catalog.build(id))!;
    await enqueue(jobOf(build, upload.size_bytes, deps), deps, now);
    return { kind: "building", build };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** The version that a deploy of the same made; null when there is none, or when more is wanted than a version. */
async function sameVersion(
  name: FunctionName | null,
  source_digest: string,
  settings: Settings,
  { tags, no_cache }: BuildOptions,
  { catalog }: GatewayDeps,
): Promise<Version | null> {
  if (name === null || no_cache || tags.length > 0) return null;
  return catalog.sameDeploy(name, source_digest, settings);
}

/**
 * What makes a source the same as another: its bytes and how they are read; of an image, its digest. What a branch or an address stands
 * for is known when it is fetched: none of them is the same as another.
 */
async function identity(request: DeployRequest, id: BuildId, upload: Upload, deps: GatewayDeps): Promise<string> {
  const { kind, fileName } = sourceKind(request.contentType, upload.first, request.fileName);
  if (kind !== "reference") return `${upload.digest}/${kind}/${fileName}`;
  const reference = await readReference(upload);
  if (!("image" in reference)) return `${upload.digest}/reference/${isPinned(reference) ? "" : id}`;
  const { digest, repository } = await referencedImage(reference.image, request.host, deps);
  await rm(upload.path);
  return `${digest}/image/${repository ?? ""}`;
}

async function enqueue(job: BuildJob, deps: GatewayDeps, now: string): Promise<void> {
  try {
    await deps.producer.build(job);
  } catch (cause) {
    await deps.catalog.cancelBuild(job.build, now);
    await settleBuild(job.build, deps);
    throw new Fault("unavailable", {
      detail: "the queue cannot be reached; nothing was built",
      retryAfterSeconds: 2,
      cause,
    });
  }
}
