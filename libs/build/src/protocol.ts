import { z } from "zod";

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
/** RECORD: a step of the log. */
export const BuilderRecord = z.object({
  step: z.enum(["box", "receive", "unpack", "bundle"]),
  status: z.enum(["start", "done", "log"]),
  msg: z.string().max(LONGEST_MSG).optional(),
});
export type BuilderRecord = z.infer<typeof BuilderRecord>;

export const MAX_FILES = 8_000;
export const MAX_OUTPUT_BYTES = 128 * 1024 * 1024;

/** Plain, so that it is a file below a folder of ours, whatever the box says. */
const PlainPath = z
  .string()
  .max(1024)
  .regex(/^[^/\0]+(\/[^/\0]+)*$/)
  .refine((path) => !path.split("/").some((part) => part === ".." || part === "."), "no dot parts");

/** What npm is to install: where it starts, below the source's folder (empty: there), and the files that say what. */
export interface InstallRequest {
  readonly root: string;
  readonly lockfile: string | null;
  /** One that npm does not go by. */
  readonly foreign_lockfile: string | null;
  readonly files: readonly string[];
}

/** HEAD: the files that follow, one after the other, as DATA: those of the function, or those that say what is to be installed. */
export const BuilderResult = z.object({
  install: z
    .object({
      root: z.union([PlainPath, z.literal("")]),
      lockfile: z.string().max(100).nullable(),
      foreign_lockfile: z.string().max(100).nullable(),
    })
    .nullable(),
  files: z
    .array(
      z.object({
        path: PlainPath,
        size_bytes: z.int().nonnegative().max(MAX_OUTPUT_BYTES),
        executable: z.boolean(),
      }),
    )
    .min(1)
    .max(MAX_FILES),
});
export type BuilderResult = z.infer<typeof BuilderResult>;
