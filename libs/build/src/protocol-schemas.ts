import { z } from "zod";
import { LONGEST_MSG, MAX_FILES, MAX_OUTPUT_BYTES } from "./protocol.ts";

/** Checks of what a builder box says. The program in the box imports types alone from here: a schema library takes longer to load than a bundle to make. */

/** RECORD: a step of the log. */
export const BuilderRecord = z.object({
  step: z.enum(["box", "receive", "unpack", "bundle"]),
  status: z.enum(["start", "done", "log"]),
  msg: z.string().max(LONGEST_MSG).optional(),
});
export type BuilderRecord = z.infer<typeof BuilderRecord>;

/** Plain, so that it is a file below a folder of ours, whatever the box says. */
const PlainPath = z
  .string()
  .max(1024)
  .regex(/^[^/\0]+(\/[^/\0]+)*$/)
  .refine((path) => !path.split("/").some((part) => part === ".." || part === "."), "no dot parts");

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
