import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tarOf } from "../layer/to-tar.ts";
import { openImageStore } from "../store.ts";
import { file } from "./entries.ts";

/**
 * For archive/memory.test.ts: `node memory.ts <dir> <layer-tree> <MiB>` imports, unpacks, saves, loads, exports and commits an image of that
 * size in a fresh folder, and prints the most memory that this process ever had after each, in MiB.
 */
const [dir, layerTree, mib] = process.argv.slice(2) as [string, string, string];
const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(MIB, Array.from({ length: 40_000 }, (_, at) => `${at * at}\n`).join(""));

async function* content(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < Number(mib); at++) yield PIECE.fill(at % 256, 0, 16);
}

const peaks: Record<string, number> = {};
const note = (name: string) => {
  peaks[name] = Math.round(process.resourceUsage().maxRSS / 1024);
};
const [one, other] = [
  await openImageStore(join(dir, "one"), { layerTree }),
  await openImageStore(join(dir, "other"), { layerTree }),
];
const created = new Date(0);
const large = file("large", "", { size_bytes: Number(mib) * MIB, content });
note("open");
const image = await one.import(tarOf([large]), { created });
note("import");
await other.load(one.save([{ digest: image, tags: ["a:1"] }], "docker"));
note("save and load");
for await (const _ of other.export(image)) {
  // Nobody keeps it.
}
note("export");
const upper = join(dir, "upper");
mkdirSync(upper);
for (let at = 0; at < Number(mib); at++) writeFileSync(join(upper, `f${at}`), PIECE);
note("write");
await one.commit({ image, writable: { upper, id_base: 0 }, created });
note("commit");
process.stdout.write(JSON.stringify(peaks));
