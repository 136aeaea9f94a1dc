import { heredocWordOrNull, withoutTabs } from "../nodes/heredoc.ts";
import type { Node } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import { readFlags } from "./flags.ts";
import type { Add, Copy, InlineFile } from "./instruction.ts";
import { common } from "./node-parts.ts";

const SHARED_FLAGS = { chown: "text", chmod: "text", link: "switch", parents: "switch", exclude: "list" } as const;

export function readCopy(node: Node): Copy {
  requireTwo(node, "COPY");
  const flags = readFlags(node, { ...SHARED_FLAGS, from: "text" });
  const { paths, files, destination } = sourcesOf(node, "COPY");
  const from = flags.from ?? "";
  return { kind: "copy", ...common(node), paths, files, destination, ...shared(flags), from };
}

export function readAdd(node: Node): Add {
  requireTwo(node, "ADD");
  const flags = readFlags(node, {
    ...SHARED_FLAGS,
    "keep-git-dir": "switch",
    checksum: "text",
    unpack: "switch",
  });
  return {
    kind: "add",
    ...common(node),
    ...sourcesOf(node, "ADD"),
    ...shared(flags),
    keep_git_dir: flags["keep-git-dir"] ?? false,
    checksum: flags.checksum ?? "",
    unpack: flags.unpack ?? null,
  };
}

interface SharedFlags {
  readonly chown: string | undefined;
  readonly chmod: string | undefined;
  readonly link: boolean | undefined;
  readonly parents: boolean | undefined;
  readonly exclude: readonly string[];
}

const shared = ({ chown = "", chmod = "", link = false, parents = false, exclude }: SharedFlags) => ({
  chown,
  chmod,
  link,
  parents,
  exclude,
});

function requireTwo({ words }: Node, keyword: string): void {
  if (words.length >= 2) return;
  throw new DockerfileError(
    `${keyword} requires at least two arguments, but only one was provided. Destination could not be determined`,
  );
}

function sourcesOf({ words, heredocs }: Node, keyword: string) {
  const destination = words.at(-1)!;
  if (heredocWordOrNull(destination)) {
    throw new DockerfileError(`${keyword} cannot accept a heredoc as a destination`);
  }
  const paths: string[] = [];
  const files: InlineFile[] = [];
  for (const word of words.slice(0, -1)) {
    const heredoc = heredocWordOrNull(word);
    if (!heredoc) {
      paths.push(word);
      continue;
    }
    const { name, expand, chomp } = heredoc;
    // Of two with one name, the later body counts for both.
    const body = heredocs.findLast((candidate) => candidate.name === name)?.content ?? "";
    files.push({ name, expand, content: chomp ? withoutTabs(body) : body });
  }
  return { paths, files, destination };
}
