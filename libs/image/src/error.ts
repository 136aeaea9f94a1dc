/**
 * Why the store said no.
 * - `missing`: a blob, image or tag is not here
 * - `corrupt`: bytes are not what their digest says, or a document cannot be read
 * - `refused`: the caller asked for something that would be wrong or unsafe
 * - `unsupported`: right, but this version cannot carry it; nothing was lost, nothing was written
 * - `unauthorized`: a registry wants another credential
 * - `unavailable`: a registry did not answer, or not yet; the same may succeed later
 * - `no_space`, `io`: what the system answered
 */
export type ImageErrorReason =
  | "missing"
  | "corrupt"
  | "refused"
  | "unsupported"
  | "unauthorized"
  | "unavailable"
  | "no_space"
  | "io";

/** The only error that this package throws on purpose. The message says what was tried, on what, and what to do. */
export class ImageError extends Error {
  readonly reason: ImageErrorReason;
  constructor(reason: ImageErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "ImageError";
    this.reason = reason;
  }
}

const NO_SPACE = new Set(["ENOSPC", "EDQUOT"]);

/** Puts what was tried before what the system answered. An ImageError passes unchanged: it says so already. */
export function explain(tried: string, error: unknown): ImageError {
  if (error instanceof ImageError) return error;
  const code = errno(error);
  const answer = error instanceof Error ? error.message : String(error);
  if (code !== null && NO_SPACE.has(code)) {
    return new ImageError("no_space", `${tried}: ${answer}; free space on that disk, or run gc on the store`, error);
  }
  return new ImageError("io", `${tried}: ${answer}`, error);
}

/** `ENOENT` and its like, or null when the error did not come from the system. */
export function errno(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : null;
}
