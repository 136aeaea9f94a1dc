import type { Range } from "./position.ts";

/**
 * What is wrong with a Dockerfile or its `.dockerignore`. Whoever finds it says what; the place is added by whoever knows it, once
 * (BuildKit's parser/errors.go does the same).
 */
export class DockerfileError extends Error {
  override name = "DockerfileError";
  range: Range | null;
  constructor(message: string, range: Range | null = null) {
    super(message);
    this.range = range;
  }
}

/** Runs `read` and says of what it throws that it was here, unless it knows better. */
export function within<T>(range: Range, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DockerfileError) error.range ??= range;
    throw error;
  }
}
