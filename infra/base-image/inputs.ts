import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { digestsOfFiles } from "./file-digest.ts";

/** The files of this folder decide how an image comes out, as much as what goes into it. */
const recipe = () =>
  readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .sort()
    .map((name) => join(import.meta.dirname, name));

/** One digest over the contents of all inputs, in their order, and the recipe. Names and times of files do not matter. */
export async function digestOfInputs(files: readonly string[], memory: string): Promise<string> {
  const digests = await digestsOfFiles([...files, ...recipe()], memory);
  return createHash("sha256").update(digests.join("\n")).digest("hex");
}
