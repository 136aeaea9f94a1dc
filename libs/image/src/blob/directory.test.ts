import { appendFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { hexOf } from "../digest.ts";
import { Scratch } from "../scratch.ts";
import { temporaryDirectory } from "../temporary.ts";
import { blobStoreConformance } from "./conformance.ts";
import { BlobDirectory } from "./directory.ts";

blobStoreConformance("a directory", async () => {
  const dir = await temporaryDirectory();
  const scratch = await Scratch.open(join(dir, "tmp"));
  return {
    store: await BlobDirectory.open(join(dir, "blobs"), scratch),
    damage: (digest) => appendFile(join(dir, "blobs", "sha256", hexOf(digest)), "!"),
    file: async (bytes) => {
      await writeFile(join(dir, "file"), bytes);
      return join(dir, "file");
    },
    leftovers: () => readdir(join(dir, "tmp")),
  };
});
