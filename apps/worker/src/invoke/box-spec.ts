import type { BoxSpec } from "@mayfly/container";
import { type BoxId, FIXED_LIMITS, type InvokeJob, type RootFs, type VersionSpec } from "@mayfly/contract";
import { FUNCTION_USER, runnerCommand } from "@mayfly/runtime";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** A box that a code function is to have. One that is made before its request has no call yet. */
export interface Wanted {
  readonly id: BoxId;
  readonly version: VersionSpec;
  readonly call: Pick<InvokeJob, "invocation" | "deadline_ms"> | null;
}

/** As plain data. */
export function functionBox({ id, version, call }: Wanted, rootfs: RootFs, nursery: string | null): BoxSpec {
  const { settings } = version;
  return {
    id,
    rootfs,
    binds: [],
    args: runnerCommand(),
    env: environment(version, call),
    cwd: "/app",
    user: FUNCTION_USER,
    hostname: version.function,
    limits: {
      memory_bytes: settings.memory_bytes,
      cpu_millis: settings.cpu_millis,
      cpu_weight: settings.cpu_weight,
      pids: settings.pids,
      tmp_bytes: settings.tmp_bytes,
      open_files: FIXED_LIMITS.open_files,
    },
    profile: "function",
    nursery,
    meter: "from_handover",
    channel: true,
  };
}

function environment(version: VersionSpec, call: Wanted["call"]): string[] {
  const { settings } = version;
  const platform: Record<string, string> = {
    PATH,
    HOME: "/tmp",
    LANG: "C.UTF-8",
    MAYFLY_FUNCTION: version.function,
    MAYFLY_VERSION: String(version.version),
    MAYFLY_MEMORY_BYTES: String(settings.memory_bytes),
    ...(call && { MAYFLY_INVOCATION: call.invocation, MAYFLY_DEADLINE_MS: String(call.deadline_ms) }),
  };
  return Object.entries({ ...platform, ...settings.env }).map(([name, value]) => `${name}=${value}`);
}
