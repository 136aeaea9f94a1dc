import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Case, Peer } from "./case/case.ts";
import { type Found, type Image, isRefusal, type Made } from "./made/made.ts";

/**
 * What other people's engines made of our cases, for runs without them: a file for each group. Nothing in it is of our own making;
 * `npm run conformance -- --record` writes what docker and buildah have built in that run.
 */
const DIR = join(import.meta.dirname, "recorded");

interface Recorded {
  /** Of the case as it was then. */
  readonly digest: string;
  readonly made: Readonly<Partial<Record<Peer, Stored>>>;
}

type Stored = "refused" | { readonly files: Readonly<Record<string, Found | null>>; readonly config: Image["config"] };

/** Case → what was made of it. */
export function readRecorded(): Map<string, Recorded> {
  const all = readdirSync(DIR)
    .filter((file) => file.endsWith(".json"))
    .flatMap((file) => Object.entries(JSON.parse(readFileSync(join(DIR, file), "utf8"))));
  return new Map(all as [string, Recorded][]);
}

/** Keeps what stands there of other cases, and of other peers. */
export function writeRecorded(one: Case, theirs: ReadonlyMap<Peer, Made>): void {
  mkdirSync(DIR, { recursive: true });
  const all = readRecorded();
  const digest = digestOf(one);
  const before = all.get(one.name);
  const stored = Object.fromEntries([...theirs].map(([peer, made]) => [peer, storedOf(made)]));
  all.set(one.name, { digest, made: { ...(before?.digest === digest && before.made), ...stored } });
  const group = groupOf(one.name);
  const cases = [...all].filter(([name]) => groupOf(name) === group).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = cases.map(([name, recorded]) => `${JSON.stringify(name)}: ${JSON.stringify(recorded)}`);
  const file = join(DIR, `${group}.json`);
  writeFileSync(`${file}.making`, `{\n${lines.join(",\n")}\n}\n`);
  renameSync(`${file}.making`, file);
}

/** @throws Error when the case has changed since, or was never built by others */
export function recordedFor(one: Case, all: ReadonlyMap<string, Recorded>): Map<Peer, Made> {
  const recorded = all.get(one.name);
  if (recorded?.digest !== digestOf(one))
    throw new Error(
      `${one.name} was not built by others as it is now: npm run conformance -- --record --case ${one.name}`,
    );
  return new Map(Object.entries(recorded.made).map(([peer, stored]) => [peer as Peer, madeOf(stored)]));
}

const groupOf = (name: string): string => name.split("/")[0]!;

/** What is expected of a case, and of whom, may change without another build. */
const digestOf = ({ context, dockerfile, target, args, labels, secrets }: Case): string =>
  createHash("sha256")
    .update(JSON.stringify([context, dockerfile, target, args, ...[labels, secrets].filter(isSet)]))
    .digest("hex")
    .slice(0, 16);

const isSet = (pairs: object): boolean => Object.keys(pairs).length > 0;

const storedOf = (made: Made): Stored =>
  isRefusal(made) ? "refused" : { files: Object.fromEntries(made.files), config: made.config };

const madeOf = (stored: Stored): Made =>
  stored === "refused"
    ? { refused: "when it was recorded" }
    : { files: new Map(Object.entries(stored.files)), config: stored.config };
