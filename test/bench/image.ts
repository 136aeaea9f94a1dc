import { join } from "node:path";
import { imageImporter, openImageStore, registryClient, startDockerRegistry, startFront } from "@mayfly/image";
import type { Bench } from "./bench.ts";
import { type Fixture, LAYER_TREE, makeFixture } from "./image/fixture.ts";
import { StoreProcess, subjectOf } from "./image/subjects.ts";
import { tasksOf } from "./image/tasks.ts";
import { interleave, summarise } from "./measure/blocks.ts";
import { figure } from "./report/figure.ts";
import type { Ratio } from "./report/result.ts";
import { summaryChart, summaryTable } from "./report/summary-table.ts";

const CALLERS = 8;
/** Of one table. */
const AT_MOST_S = 90;

export const image: Bench = {
  name: "image",
  about: "An image of ten layers unpacked, packed, pulled and pushed, beside umoci, skopeo and buildah.",
  counts: "MiB of files in the image",
  usual: { blocks: 3, count: 200 },

  async run({ dir, after, say }, { blocks, count }) {
    say(`making an image of ${count} MiB`);
    const fixture = await makeFixture(dir, count);
    const registry = await startDockerRegistry();
    after.defer(() => registry.close());
    await registryClient({ store: fixture.store }).push("bench:1", `${registry.host}/bench:1`);
    const ours = new StoreProcess(dir, after);
    const tables = [];
    const charts = [];
    const ratios: Ratio[] = [];
    for (const { caption, works } of tasksOf(dir, fixture, registry.host, ours)) {
      say(caption);
      const subjects = works.map((work, i) => subjectOf(work, dir, [i === 0 ? ours.pid : process.pid]));
      const found = await interleave(subjects, { blocks, count: 1, warmUp: 1, atMost_s: AT_MOST_S });
      const measured = found.map((blocksOf, i) => ({
        name: works[i]!.name,
        summary: summarise(blocksOf),
        ours: i === 0,
      }));
      tables.push(summaryTable(caption, measured));
      charts.push(summaryChart(`${caption}, p50`, measured));
      const [we, ...they] = measured.map(({ name, summary }) => ({ name, p50_ms: summary.p50.median }));
      for (const { name, p50_ms } of they) {
        const measure = `${caption}: ours ÷ ${name.includes("+") ? `(${name})` : name}`;
        ratios.push({ measure, value: we!.p50_ms / p50_ms, unit: "", wanted: { atMost: 1 } });
      }
    }
    for (const [whose, value] of [
      ["our process", ours.peak_mib] as const,
      ["a courier of it", ours.courier_mib] as const,
      ["both in one pull or push, the program that they share counted once", ours.together_mib] as const,
    ]) {
      const measure = `images: peak memory of ${whose}`;
      ratios.push({ measure, value, unit: "MiB", wanted: { atMost: 150 } });
    }
    ratios.push(await pulledTogether(dir, fixture, registry.host));
    return {
      ...{ tables, charts, ratios },
      notes: [
        `${fixture.files} files of this machine, ${figure(fixture.bytes / 1024 / 1024)} MiB, in ten layers of gzip; each turn in a fresh folder on the same disk. Debian's docker-registry, on loopback.`,
        "Ours is a process that goes on, as a worker is; theirs are programs that are started. CPU of making and removing each turn's folder is in theirs, and what layer-tree uses is in ours.",
        "Unpacking writes one folder a layer with us, which overlayfs lays together, and one folder for all with umoci, which also notes every file. Ours syncs every blob that it stores.",
        "Our process runs with the worker's flags of Node; a courier, which speaks with the registry for it, is started for each pull and push, and is in their time. buildah pulls into storage of overlay layers. skopeo pushes without its memory of what lies where: it would have blobs mounted, and send nothing.",
      ],
    };
  },
};

/** Callers that pull one image at once ask the registry for each blob once. */
async function pulledTogether(dir: string, { image: digest, store }: Fixture, host: string): Promise<Ratio> {
  const front = await startFront(host);
  try {
    const empty = await openImageStore(join(dir, "together"), { layerTree: LAYER_TREE });
    const importer = imageImporter({ blobs: empty.blobs, most_bytes: Number.MAX_SAFE_INTEGER });
    const pull = () => registryClient({ store: empty, importer }).pull(`${front.host}/bench:1`);
    await Promise.all(Array.from({ length: CALLERS }, pull));
    const blobs = (await store.image(digest)).manifest.layers.length + 1;
    return {
      measure: `${CALLERS} callers pull one image at once: downloads of each blob`,
      ...{ value: front.count("GET", /\/blobs\//) / blobs, unit: "", wanted: { atMost: 1 } },
    };
  } finally {
    front.close();
  }
}
