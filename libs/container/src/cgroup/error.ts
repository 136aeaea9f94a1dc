/** A cgroup operation that failed: what was tried, on which file, what the kernel answered, what to do about it. */
export class CgroupError extends Error {
  readonly step: string;
  readonly path: string;
  /** `EBUSY`, `ENOENT`, …; `ETIMEDOUT` when the kernel accepted but did not get there in time. */
  readonly errno: string;
  readonly remedy: string | null;

  constructor(step: string, path: string, errno: string, remedy: string | null, cause?: unknown) {
    super(`${step} ${path}: ${errno}${remedy ? `; ${remedy}` : ""}`, { cause });
    this.name = "CgroupError";
    this.step = step;
    this.path = path;
    this.errno = errno;
    this.remedy = remedy;
  }
}

const REMEDIES: Record<string, string> = {
  EACCES: "run as root",
  EPERM: "run as root",
  EROFS:
    "the hierarchy is mounted read-only: remount it read-write, or in a container start it with its own cgroup namespace",
  ENOSPC:
    "the kernel has no room for another group: look for leaked groups under mayfly/ (65535 memory groups are the most)",
  ENOMEM: "the kernel had no memory left for this: free some",
};

/** The `code` of an error of node:fs, or `EUNKNOWN`. */
export const errnoOf = (error: unknown): string => (error as NodeJS.ErrnoException)?.code ?? "EUNKNOWN";

export function cgroupError(step: string, path: string, cause: unknown): CgroupError {
  const errno = errnoOf(cause);
  return new CgroupError(step, path, errno, REMEDIES[errno] ?? null, cause);
}
