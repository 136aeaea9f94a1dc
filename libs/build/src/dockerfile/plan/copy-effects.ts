import { Lexer } from "../expand/lexer.ts";
import type { Add, Copy, Sources } from "../instructions/instruction.ts";
import { DockerfileError } from "../source/failure.ts";
import { expander, type StageContext, shownCode } from "./context.ts";
import { isHttp, readGitReference } from "./git-reference.ts";
import { cleanPath, destinationFrom } from "./paths.ts";
import { remembered, type StageState } from "./stage-state.ts";
import type { CopySource, CopyStep, Origin } from "./step.ts";

export function copy(state: StageState, instruction: Copy, context: StageContext): StageState {
  const origin: Origin = instruction.from === "" ? { kind: "context" } : context.origin(instruction.from);
  return copied(state, instruction, context, (path) => {
    if (readGitReference(path)) throw new DockerfileError("source can't be a git ref for COPY");
    if (isHttp(path)) throw new DockerfileError("source can't be a URL for COPY");
    return pathSource(path, origin, instruction.parents, false);
  });
}

const CHECKSUM = /^sha256:[0-9a-f]{64}$/;

export function add(state: StageState, instruction: Add, context: StageContext): StageState {
  const checksum = expander(context, state, instruction)(instruction.checksum);
  const unpack = instruction.unpack;
  return copied(state, instruction, context, (path, all) => {
    const git = readGitReference(path);
    if (checksum !== "") {
      if (all > 1) throw new DockerfileError("checksum can't be specified for multiple sources");
      if (!git && !isHttp(path)) throw new DockerfileError("checksum can't be specified for non-HTTP(S) sources");
      if (!git && !CHECKSUM.test(checksum)) throw new DockerfileError(`invalid checksum digest format: ${checksum}`);
    }
    if (git) {
      const ref = git.ref === "" ? checksum : git.ref;
      return { kind: "git", ...git, ref, keep_git_dir: instruction.keep_git_dir };
    }
    if (!isHttp(path)) return pathSource(path, { kind: "context" }, instruction.parents, unpack ?? true);
    return { kind: "http", url: path, name: nameOf(path), checksum: checksum || null, unpack: unpack ?? false };
  });
}

/** The last part of an address' path. */
function nameOf(url: string): string {
  const path = URL.canParse(url) ? decodeURIComponent(new URL(url).pathname) : "";
  return path.split("/").findLast((part) => part !== "") ?? "__unnamed__";
}

function copied(
  state: StageState,
  instruction: Copy | Add,
  context: StageContext,
  source: (path: string, all: number) => CopySource,
): StageState {
  const written = expandSources(instruction, state, context);
  const step: CopyStep = {
    kind: instruction.kind,
    title: context.title(shownCode(instruction.code, context.lexer, state.variables)),
    range: instruction.range,
    on_build: context.onBuild,
    sources: [
      ...written.paths.map((path) => source(path, written.paths.length)),
      ...written.files.map(({ name, content }): CopySource => ({ kind: "inline", file: { name, content } })),
    ],
    destination: destinationFrom(state.config.WorkingDir ?? "", written.destination),
    chown: written.chown || null,
    chmod: checkedMode(written.chmod),
    link: instruction.link,
    exclude: written.exclude,
  };
  if (instruction.kind === "add" || instruction.from === "") warnOfIgnored(step, instruction, context);
  const names = [...written.paths, ...written.files.map(({ name }) => `<<${name}`), written.destination];
  const parents = instruction.parents ? "--parents " : "";
  const line = `${instruction.kind.toUpperCase()} ${parents}${names.join(" ")} # buildkit`;
  return remembered({ ...state, steps: [...state.steps, step] }, line, true);
}

/** Of a heredoc's body only variables are expanded: its quotes are its own. */
function expandSources(instruction: Copy | Add, state: StageState, context: StageContext): Sources {
  const expand = expander(context, state, instruction);
  const expandBody = expander(context, state, instruction, new Lexer("\\", { plainQuotes: true }));
  return {
    ...instruction,
    chown: expand(instruction.chown),
    chmod: expand(instruction.chmod),
    exclude: instruction.exclude.map(expand),
    paths: instruction.paths.map(expand),
    destination: expand(instruction.destination),
    files: instruction.files.map((file) => (file.expand ? { ...file, content: expandBody(file.content) } : file)),
  };
}

function pathSource(path: string, origin: Origin, parents: boolean, unpack: boolean): CopySource {
  if (!parents) return { kind: "path", origin, pattern: rooted(path), keep: null, unpack };
  // What stands before `/./` is not kept below the destination.
  const pivot = path.indexOf("/./");
  if (pivot === -1) return { kind: "path", origin, pattern: "/", keep: rooted(path).slice(1), unpack };
  return {
    kind: "path",
    origin,
    pattern: rooted(path.slice(0, pivot)),
    keep: rooted(path.slice(pivot + 3)).slice(1),
    unpack,
  };
}

/** Always from the root, and never above it. */
const rooted = (path: string): string => cleanPath(`/${path}`);

/** `u=rw,go-w,a+X` */
const SYMBOLIC = /^[ugoa]*[-+=][rwxXst]*(?:[-+=][rwxXst]*)*(?:,[ugoa]*[-+=][rwxXst]*(?:[-+=][rwxXst]*)*)*$/;

function checkedMode(chmod: string): string | null {
  if (chmod === "") return null;
  const octal = /^[0-7]+$/.test(chmod);
  if (octal ? Number.parseInt(chmod, 8) <= 0o7777 : SYMBOLIC.test(chmod)) return chmod;
  throw new DockerfileError(`invalid chmod parameter: '${chmod}'. it should be octal string and between 0 and 07777`);
}

function warnOfIgnored({ kind, sources }: CopyStep, { range }: Copy | Add, { ignore, warnings }: StageContext): void {
  if (!ignore || ignore.hasExclusions) return;
  for (const source of sources) {
    if (source.kind !== "path") continue;
    const path = source.keep ?? source.pattern.slice(1);
    if (path !== "" && ignore.ignores(path)) {
      warnings.add("CopyIgnoredFile", range, kind === "add" ? "Add" : "Copy", path);
    }
  }
}
