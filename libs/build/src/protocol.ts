/**
 * What host and builder box say to each other in frames: INIT → source as DATA… END → RECORD… → HEAD + DATA… END, or ERROR. A project
 * whose dependencies are not there is answered with the files that say what they are; another box then gets the source again.
 */

/** INIT: what is coming, and what is wanted of it. */
export interface BuilderInit {
  readonly kind: "module" | "tar" | "tar.gz" | "zip";
  /** Name of the module for `kind: module`. */
  readonly file_name: string;
  readonly entry: string | null;
  /** Folder of the source that is built; null: its root. */
  readonly dir: string | null;
  /** Whether dependencies were installed, as far as they can be. */
  readonly installed: boolean;
}

/** Where a source with dependencies is unpacked, over what was installed for it: both are in the same place then. */
export const WORK_FOLDER = "/build";
export const SOURCE_FOLDER = `${WORK_FOLDER}/src`;

export const LONGEST_MSG = 2_000;
export const MAX_FILES = 8_000;
export const MAX_OUTPUT_BYTES = 128 * 1024 * 1024;

/** What npm is to install: where it starts, below the source's folder (empty: there), and the files that say what. */
export interface InstallRequest {
  readonly root: string;
  readonly lockfile: string | null;
  /** One that npm does not go by. */
  readonly foreign_lockfile: string | null;
  readonly files: readonly string[];
}
