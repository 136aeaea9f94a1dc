import { parseArgs } from "node:util";
import { isPeer, type Peer } from "./case/case.ts";

export interface CommandLine {
  readonly glob: string;
  readonly peers: readonly Peer[];
  /** Somebody's folder of cases; null: ours. */
  readonly cases: string | null;
  /** Whether recorded/ is written. */
  readonly record: boolean;
  /** Where folders and images stay; null: nothing stays. */
  readonly keep: string | null;
}

const OPTIONS = {
  case: { type: "string", default: "**" },
  peers: { type: "string", default: "docker,buildah" },
  cases: { type: "string" },
  record: { type: "boolean", default: false },
  keep: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

/** null: help was asked for. @throws Error that says what is wrong */
export function parseCommandLine(argv: readonly string[]): CommandLine | null {
  const { values } = parseArgs({ args: [...argv], options: OPTIONS, strict: true });
  if (values.help) return null;
  const names = values.peers.split(",").filter((name) => name !== "" && name !== "none");
  const unknown = names.find((name) => !isPeer(name));
  if (unknown !== undefined) throw new Error(`--peers ${unknown}: there is docker, classic, buildah, or none`);
  if (values.record && values.cases !== undefined) throw new Error("--record is for our own cases");
  return {
    glob: values.case,
    peers: names.filter(isPeer),
    cases: values.cases ?? null,
    record: values.record,
    keep: values.keep ?? null,
  };
}

export const HELP = `npm run conformance [-- options]

Builds Dockerfiles here and with other people's engines, started privately and offline in the same run, and compares the root file systems and configs
that come out: types, modes, owners, times, extended attributes, contents, links. A difference that has no known reason is a failure.

  --case GLOB    cases by name: copy, copy/link*, **/*chown* (default: all)
  --peers LIST   docker (BuildKit of Debian's docker.io), classic (its builder of before), buildah; none (default docker,buildah)
  --cases DIR    somebody's cases instead of ours: folders in DIR, at any depth, or DIR itself. A case is one of
                   CASE/Dockerfile, CASE/...           as docker build CASE
                   CASE/Dockerfile, CASE/context/...   as docker build -f CASE/Dockerfile CASE/context (nothing else is in CASE)
                   CASE/context/Dockerfile, ...        as docker build CASE/context
                 and may have settings in CASE/case.json, all of them optional:
                   {"about": "a sentence", "dockerfile": "path", "target": "stage", "args": {"KEY": "value"}, "labels": {"KEY": "value"},
                    "secrets": {"ID": "text"}, "fails": true,               fails: it must be refused (default: if the others do)
                    "differs": {"docker": "why"},                           whose image may be another one, and why
                    "expected": ["path type mode uid:gid content", "!path"]} what must be there, and what must not
                 Bases are scratch, busybox and debian (12), with any tag. Nothing else can be pulled: there is no network.
  --record       writes test/conformance/recorded/: what the peers made, for tests without them
  --keep DIR     leaves all that was written and built there
  --help         this text
`;
