import type { BoxSpec } from "@mayfly/container";
import { FIXED_LIMITS, type InvokeJob, type RootFs } from "@mayfly/contract";
import { FUNCTION_USER, runnerCommand } from "@mayfly/runtime";

const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The box of one invocation of a code function, as plain data. */
export function functionBox(job: InvokeJob, rootfs: RootFs, nursery: string | null): BoxSpec {
  const { settings } = job.version;
  return {
    id: job.invocation,
    rootfs,
    binds: [],
    args: runnerCommand(),
    env: environment(job),
    cwd: "/app",
    user: FUNCTION_USER,
    hostname: job.version.function,
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

function environment(job: InvokeJob): string[] {
  const { settings } = job.version;
  const platform: Record<string, string> = {
    PATH,
    HOME: "/tmp",
    LANG: "C.UTF-8",
    MAYFLY_INVOCATION: job.invocation,
    MAYFLY_FUNCTION: job.version.function,
    MAYFLY_VERSION: String(job.version.version),
    MAYFLY_MEMORY_BYTES: String(settings.memory_bytes),
    MAYFLY_DEADLINE_MS: String(job.deadline_ms),
  };
  return Object.entries({ ...platform, ...settings.env }).map(([name, value]) => `${name}=${value}`);
}
