import { readIgnoreFile } from "../dockerfile/ignore/file.ts";
import type { BaseImage, DockerConfig } from "../dockerfile/plan/config.ts";
import { type Plan, type Planned, type PlanOptions, planBuild } from "../dockerfile/plan/plan.ts";

export const PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface Given {
  readonly target?: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly ignore?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly network?: "default" | "none";
  /** Configs of images; all others are empty. */
  readonly images?: Readonly<Record<string, DockerConfig>>;
}

/** A plan for linux/amd64 over images that are there. */
export function planOf(source: string, given: Given = {}): Plan {
  const images = new Map<string, BaseImage>();
  for (;;) {
    const planned: Planned = planBuild(source, images, optionsOf(given));
    if ("plan" in planned) return planned.plan;
    for (const { reference } of planned.wanted) {
      images.set(reference, { config: given.images?.[reference] ?? { Env: [PATH] } });
    }
  }
}

export const optionsOf = ({
  target = "",
  args = {},
  ignore,
  labels = {},
  network = "default",
}: Given): PlanOptions => ({
  target,
  buildArgs: new Map(Object.entries(args)),
  platform: { os: "linux", architecture: "amd64" },
  ignore: ignore === undefined ? null : readIgnoreFile(ignore),
  labels,
  network,
  hosts: [],
});

/** The stage that is built. */
export const lastOf = (source: string, given?: Given) => planOf(source, given).stages.at(-1)!;
export const historyOf = (source: string, given?: Given) =>
  lastOf(source, given).history.map(({ created_by }) => created_by);
