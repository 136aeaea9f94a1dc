import { z } from "zod";

/** What host and builder box say to each other in frames: INIT → source as DATA… END → RECORD… → HEAD + DATA… END, or ERROR. */

/** INIT: what is coming, and what is wanted of it. */
export interface BuilderInit {
  readonly kind: "module" | "tar" | "tar.gz" | "zip";
  /** Name of the module for `kind: module`. */
  readonly file_name: string;
  readonly entry: string | null;
}

export const LONGEST_MSG = 2_000;
/** RECORD: a step of the log. */
export const BuilderRecord = z.object({
  step: z.enum(["box", "receive", "unpack", "bundle"]),
  status: z.enum(["start", "done", "log"]),
  msg: z.string().max(LONGEST_MSG).optional(),
});
export type BuilderRecord = z.infer<typeof BuilderRecord>;

export const MAX_FILES = 1_000;
export const MAX_OUTPUT_BYTES = 128 * 1024 * 1024;

/** HEAD: the files that follow, one after the other, as DATA. Names are plain: they become files below /app. */
export const BuilderResult = z.object({
  files: z
    .array(
      z.object({
        path: z
          .string()
          .max(1024)
          .regex(/^[^/\0]+(\/[^/\0]+)*$/)
          .refine((path) => !path.split("/").some((part) => part === ".." || part === "."), "no dot parts"),
        size_bytes: z.int().nonnegative().max(MAX_OUTPUT_BYTES),
      }),
    )
    .min(1)
    .max(MAX_FILES),
});
export type BuilderResult = z.infer<typeof BuilderResult>;
