import { readFile } from "node:fs/promises";
import { Fault, SourceReference } from "@mayfly/contract";
import { z } from "zod";
import type { Upload } from "./upload.ts";

/** Longer than any reference is. */
const LARGEST_BYTES = 16 * 1024;
const ImageReference = z.strictObject({ image: z.string() });
const HINT =
  'send {"image": "repository:tag"}, {"git": "https://…/repo.git", "ref"?, "dir"?} or {"url": "https://…/source.tar.gz", "dir"?}';

/** Reads the JSON that says where a source is. @throws Fault bad_request */
export async function readReference({
  path,
  size_bytes,
}: Upload): Promise<SourceReference | z.infer<typeof ImageReference>> {
  const value = size_bytes > LARGEST_BYTES ? null : parsed(await readFile(path, "utf8"));
  if (value === null) throw new Fault("bad_request", { detail: "the body is no small JSON object", hint: HINT });
  const shape = "image" in value ? ImageReference : SourceReference.options["git" in value ? 0 : 1];
  const read = shape.safeParse(value);
  if (read.success) return read.data;
  throw new Fault("bad_request", { detail: `the body: ${z.prettifyError(read.error)}`, hint: HINT });
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}
