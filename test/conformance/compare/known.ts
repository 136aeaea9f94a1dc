import type { Peer } from "../case/case.ts";
import type { Found } from "../made/made.ts";
import type { Difference } from "./compare.ts";

/** A way in which an engine parts from BuildKit as it is today, wherever that shows. Those of single cases stand in the cases. */
interface Known {
  readonly peers: readonly Peer[];
  readonly why: string;
  readonly is: (difference: Difference) => boolean;
}

/** Attributes apart, the same. */
const otherwiseSame = (difference: Difference, names: readonly (keyof Found)[]): [Found, Found] | null => {
  if (difference.kind !== "file" || !difference.ours || !difference.theirs) return null;
  const { ours, theirs } = difference;
  const all = ["type", "mode", "owner", "mtime_s", "content", "xattrs"] as const;
  return all.every((name) => names.includes(name) || ours[name] === theirs[name]) ? [ours, theirs] : null;
};

const config = (name: string) => (difference: Difference) => difference.kind === "config" && difference.name === name;

/** What engines put below a program that they run, and leave behind in a root file system that has it not. */
const MOUNT_POINTS =
  /^(?:dev|proc|sys|etc|run|etc\/(?:hosts|hostname|resolv\.conf|mtab)|dev\/(?:console|pts|shm|mqueue)|run\/\.containerenv)$/;

export const KNOWN: readonly Known[] = [
  {
    peers: ["classic", "buildah"],
    why: "takes setuid and setgid from files of the context (build.md §5.1)",
    is: (difference) => {
      const pair = otherwiseSame(difference, ["mode"]);
      return pair !== null && pair[1].mode === (pair[0].mode & ~0o6000);
    },
  },
  {
    peers: ["docker", "classic", "buildah"],
    why: "leaves mount points behind where a program ran without them",
    is: (difference) =>
      difference.kind === "file" && difference.ours === undefined && MOUNT_POINTS.test(difference.path),
  },
  {
    peers: ["classic", "buildah"],
    why: "does not say ArgsEscaped (build.md §5.1)",
    is: config("ArgsEscaped"),
  },
  {
    peers: ["docker"],
    why: "loses the times of folders of a context that hold something (BuildKit 0.8)",
    is: (difference) => {
      const pair = otherwiseSame(difference, ["mtime_s"]);
      return pair !== null && pair[0].type === "directory" && pair[1].mtime_s === null;
    },
  },
  {
    peers: ["classic", "buildah"],
    why: "says no WorkingDir where BuildKit says /",
    is: (difference) => config("WorkingDir")(difference) && difference.theirs === undefined && difference.ours === "/",
  },
  {
    peers: ["buildah"],
    why: "rounds times up (build.md §5.5)",
    is: (difference) => {
      const pair = otherwiseSame(difference, ["mtime_s"]);
      return pair !== null && pair[0].mtime_s !== null && pair[1].mtime_s === pair[0].mtime_s + 1;
    },
  },
];

/** Why a difference is none of ours; null: nobody knows. */
export const reasonFor = (difference: Difference, peer: Peer): string | null =>
  KNOWN.find(({ peers, is }) => peers.includes(peer) && is(difference))?.why ?? null;
