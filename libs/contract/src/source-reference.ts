import { z } from "zod";

const pathInside = z
  .string()
  .min(1)
  .max(1000)
  .refine((path) => !path.startsWith("/") && !path.split("/").includes(".."), "a path inside the source");
const address = z
  .string()
  .max(4000)
  .refine((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""), "an http or https address");
const common = { dir: pathInside.optional(), dockerfile: pathInside.optional() };

/** Where a source is, in the place of the source. A repository's address may end in `#ref:folder`, as Docker has it. */
export const SourceReference = z.union([
  z.strictObject({ git: address, ref: z.string().min(1).max(500).optional(), ...common }),
  z.strictObject({ url: address, ...common }),
]);
export type SourceReference = z.infer<typeof SourceReference>;

/** Whether it stands for the same for ever: a commit does. */
export const isPinned = (reference: SourceReference): boolean =>
  "git" in reference && /^[0-9a-f]{40}$/.test(reference.ref ?? /#([^:]*)/.exec(reference.git)?.[1] ?? "");
