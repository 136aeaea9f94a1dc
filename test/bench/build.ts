import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Bench } from "./bench.ts";
import { type Again, contenders, subjectOf } from "./build/builders.ts";
import { bundled, deployed } from "./build/deploy.ts";
import { writeProject } from "./build/project.ts";
import { interleave, type Subject, summarise } from "./measure/blocks.ts";
import type { Ratio } from "./report/result.ts";
import { type Measured, summaryChart, summaryTable } from "./report/summary-table.ts";

/** Of one table. */
const AT_MOST_S = 90;
/** A cached build is short and must be seen more often. */
const TIMES: Readonly<Record<Again, number>> = { cold: 2, cached: 4, "one line changed": 2 };
const CAPTIONS: Readonly<Record<Again, string>> = {
  cold: "Eight steps, nothing cached",
  cached: "Eight steps, all of them cached",
  "one line changed": "Eight steps, the fifth changed",
};

export const build: Bench = {
  name: "build",
  about:
    "A Dockerfile of eight steps cold, cached and changed, beside docker build and buildah; a module from upload to first answer.",
  counts: "builds in a block",
  usual: { blocks: 5, count: 1 },

  async run({ dir, after, say, system }, { blocks, count }) {
    const project = join(dir, "project");
    mkdirSync(project);
    writeProject(project);
    say("starting dockerd");
    const all = await contenders(dir, after);
    const tables = [];
    const charts = [];
    const found = new Map<Again, readonly Measured[]>();
    for (const again of ["cold", "cached", "one line changed"] as const) {
      say(CAPTIONS[again]);
      const measured = await inTurns(
        all.map((contender) => subjectOf(contender, project, again)),
        { blocks, count: TIMES[again] * count },
      );
      found.set(again, measured);
      tables.push(summaryTable(CAPTIONS[again], measured));
      charts.push(summaryChart(`${CAPTIONS[again]}, p50`, measured));
    }
    say("a module, from upload to first answer");
    const mayfly = await system();
    const module = await inTurns([deployed(mayfly), bundled(join(dir, "module"))], { blocks: 2 * blocks, count: 5 });
    tables.push(summaryTable("A TypeScript module, from upload to first answer", module));
    return { tables, charts, ratios: [...ratiosOf(found), ...deployRatios(module)], notes: NOTES };
  },
};

const NOTES = [
  "Ours takes a tar of the context from GNU tar, as an upload is, and builds it in a process that goes on, as a worker does; HTTP and queue are not in it. dockerd goes on as well, its client is started each time; buildah has no daemon.",
  "docker build is Debian's docker.io 20.10 with --network=none; buildah is 1.28 with --isolation=chroot --layers on overlay. All on one disk, with a busybox base; the context is 100 files of 4 KiB and one of 1 MiB.",
  "The CPU of buildah's and docker's programs is in theirs, that of containerd's shims is nobody's.",
  "The module is another one in each turn, deployed to one function; the answer comes from the version that was deployed.",
];

async function inTurns(
  subjects: readonly Subject[],
  { blocks, count }: { readonly blocks: number; readonly count: number },
): Promise<Measured[]> {
  const measured = await interleave(subjects, { blocks, count, warmUp: 1, atMost_s: AT_MOST_S });
  return measured.map((of, at) => ({ name: subjects[at]!.name, summary: summarise(of), ours: at === 0 }));
}

function ratiosOf(found: ReadonlyMap<Again, readonly Measured[]>): Ratio[] {
  const ratio = (again: Again, atMost: number): Ratio => {
    const [ours, ...theirs] = found.get(again)!.map(({ summary }) => summary.p50.median);
    const value = ours! / Math.min(...theirs);
    return { measure: `build, ${again}, p50: ours ÷ the fastest peer`, value, unit: "", wanted: { atMost } };
  };
  return [ratio("cold", 1), ratio("cached", 0.5), ratio("one line changed", 1)];
}

function deployRatios([ours, esbuild]: readonly Measured[]): Ratio[] {
  const [deploy, alone] = [ours!.summary.p50.median, esbuild!.summary.p50.median];
  return [
    { measure: "a module, from upload to first answer, p50", value: deploy, unit: "ms", wanted: { atMost: 300 } },
    { measure: "the same ÷ esbuild alone", value: deploy / alone, unit: "", wanted: { atMost: 10 } },
  ];
}
