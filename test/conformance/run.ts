import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../infra/src/root.ts";
import { type Base, busyboxBase, debianBase, tagsOf } from "./builders/bases.ts";
import { Buildah } from "./builders/buildah.ts";
import { Docker } from "./builders/docker.ts";
import { Mayfly } from "./builders/mayfly.ts";
import { byOurClient } from "./builders/packing.ts";
import type { Case, Peer } from "./case/case.ts";
import { dockerfileText } from "./case/dockerfile-text.ts";
import { parseCommandLine } from "./command-line.ts";
import { inTurn } from "./in-turn.ts";
import { laidOut } from "./laid-out.ts";
import type { Made } from "./made/made.ts";
import { Engine } from "./made/of-build.ts";
import { writeRecorded } from "./recorded.ts";
import { Report } from "./report.ts";
import { selected } from "./select.ts";
import { verdictOf } from "./verdict.ts";

/** Cases that are built side by side. */
const AT_ONCE = 3;

/** `npm run conformance`, in a mount namespace of its own. What is wrong with a case is said; the end says how many are right. */
const line = parseCommandLine(process.argv.slice(2))!;
const say = (text: string) => process.stderr.write(`setup  ${text}\n`);
const cases = selected(line.glob, line.cases);
// In memory, where there is some: engines wait for their disks more than for anything else.
const dir = line.keep ?? mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "mayfly-conformance-"));
const after = new AsyncDisposableStack();
if (line.keep === null) after.defer(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  process.once(signal, () => void after.disposeAsync().finally(() => process.exit(130)));

try {
  const began_s = Math.floor(Date.now() / 1000);
  const bases = basesOf(cases);
  const { ours, peers } = await engines(bases);
  const report = new Report(cases.length);
  const cast = { ours, peers, began_s };
  for await (const { one, theirs, verdict } of inTurn(cases, AT_ONCE, (one) => tried(one, cast))) {
    report.add(verdict);
    if (line.record && theirs.size > 0) writeRecorded(one, theirs);
  }
  report.end();
  process.exitCode = report.wrong === 0 ? 0 : 1;
} finally {
  await after.disposeAsync();
}

interface Cast {
  readonly ours: Engine;
  readonly peers: ReadonlyMap<Peer, Engine>;
  readonly began_s: number;
}

/** What breaks one case is said of it, and the others go on. */
async function tried(one: Case, { ours, peers, began_s }: Cast) {
  try {
    const order = laidOut(one, join(dir, "cases"));
    const [our, ...others] = await Promise.all([
      ours.make(order, began_s),
      ...[...peers].map(async ([peer, engine]) => [peer, await engine.make(order, began_s)] as const),
    ]);
    const theirs: ReadonlyMap<Peer, Made> = new Map(others);
    return { one, theirs, verdict: verdictOf(one, our, theirs) };
  } catch (error) {
    return {
      one,
      theirs: new Map(),
      verdict: { case: one, wrong: [`it broke off: ${(error as Error).message}`], known: [] },
    };
  }
}

function basesOf(all: readonly Case[]): Base[] {
  const dockerfiles = all.map(dockerfileText);
  const busybox = busyboxBase(dir);
  const wantsDebian = dockerfiles.some((text) => /\bdebian\b/.test(text));
  const bases = wantsDebian ? [busybox, debianBase(join(ROOT, "build/conformance"), say)] : [busybox];
  return bases.map((base) => ({ ...base, tags: tagsOf(base.name, dockerfiles) }));
}

async function engines(bases: readonly Base[]): Promise<{ ours: Engine; peers: Map<Peer, Engine> }> {
  const names = bases.map(({ name }) => name);
  const mayfly = await Mayfly.start(join(dir, "mayfly"), bases, byOurClient);
  after.defer(() => mayfly.close());
  const peers = new Map<Peer, Engine>();
  if (line.peers.includes("docker") || line.peers.includes("classic")) {
    say("starting dockerd");
    const docker = await Docker.start(join(dir, "docker"), bases);
    after.defer(() => docker.stop());
    for (const name of ["docker", "classic"] as const)
      if (line.peers.includes(name)) peers.set(name, await Engine.of(docker.builder(name), names));
  }
  if (line.peers.includes("buildah"))
    peers.set(
      "buildah",
      await Engine.of(await Buildah.start(join(dir, "buildah"), bases, { driver: "vfs", layers: false }), names),
    );
  return { ours: await Engine.of(mayfly, names), peers };
}
