import type { Ending } from "@mayfly/contract";
import { excerptOf } from "../source/excerpt.ts";
import type { DockerfileError } from "../source/failure.ts";
import type { Range } from "../source/position.ts";

/** A build that failed for what the Dockerfile says or its programs did. */
export class DockerfileBuildError extends Error {
  override name = "DockerfileBuildError";
  readonly range: Range | null;
  /** The lines around it, marked. */
  readonly excerpt: string;
  /** Of the program, when a RUN ended otherwise than by exit code 0. */
  readonly ending: Ending | null;

  constructor(message: string, source: string, range: Range | null, ending: Ending | null = null) {
    super(message);
    this.range = range;
    this.excerpt = range ? excerptOf(source, range) : "";
    this.ending = ending;
  }

  static of(error: DockerfileError, source: string): DockerfileBuildError {
    return new DockerfileBuildError(error.message, source, error.range);
  }
}
