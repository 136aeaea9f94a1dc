import type { FileTree } from "../files/file-tree.ts";
import type { RunMount } from "./ports.ts";
import type { FoundMount } from "./run-mounts.ts";

/** Where BuildKit mounts a file of its own over the image's, which most images do not have. */
const PLACE = "etc/hosts";
/** Its text of it, the box's own name included (executor/oci/hosts.go). */
const LOCAL = "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n";

/**
 * /etc/hosts of a RUN: read-only, and part of no layer. `names` are lines of hosts(5) besides. Nothing where the program brings one itself,
 * or where no file can be.
 */
export function hostsMount(
  names: readonly string[],
  mounts: readonly Pick<FoundMount, "target">[],
  below: FileTree,
): RunMount[] {
  const isPossible =
    (below.at("etc")?.type ?? "directory") === "directory" &&
    below.at(PLACE)?.type !== "directory" &&
    !mounts.some(({ target }) => target === PLACE);
  if (!isPossible) return [];
  const content = Buffer.from(LOCAL + names.map((line) => `${line}\n`).join(""));
  return [{ type: "secret", target: `/${PLACE}`, content, mode: 0o644, uid: 0, gid: 0 }];
}
