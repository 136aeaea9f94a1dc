import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { inOverlay } from "./overlay.ts";

/** For tests: a root with a writable layer that stays, as a box's. Mounted only while a script runs. */
export class TestRoot {
  readonly upper: string;
  readonly #dir: string;
  readonly #lower: readonly string[];

  constructor(dir: string, lower: readonly string[]) {
    this.#dir = dir;
    this.#lower = lower;
    this.upper = join(dir, "upper");
    for (const part of ["upper", "work", "root"]) mkdirSync(join(dir, part));
    execFileSync("chmod", ["755", this.upper]);
  }

  /** What a shell script prints that stands in the root. */
  run(script: string): string {
    return inOverlay(this.#lower, this.#dir, script);
  }
}
