import type { Peer } from "../case/case.ts";

/** What Dockerfiles say, and who is older than that. */
interface Feature {
  readonly name: string;
  readonly is: RegExp;
  readonly unknownTo: readonly Peer[];
}

const ALL: readonly Peer[] = ["docker", "classic", "buildah"];

/** Debian 12 has Docker 20.10 (BuildKit 0.8, dockerfile 1.2) and buildah 1.28. */
const FEATURES: readonly Feature[] = [
  {
    name: "heredocs (dockerfile 1.4)",
    is: /^\s*(?:ONBUILD\s+)?(?:RUN|COPY|ADD)\b.*<<-?\s*["']?[\w.]/im,
    unknownTo: ALL,
  },
  { name: "COPY --link (dockerfile 1.4)", is: /\s--link\b/, unknownTo: ALL },
  { name: "COPY --parents (dockerfile 1.20)", is: /\s--parents\b/, unknownTo: ALL },
  { name: "COPY --exclude (dockerfile 1.19)", is: /\s--exclude=/, unknownTo: ALL },
  { name: "ADD --checksum (dockerfile 1.6)", is: /\s--checksum=/, unknownTo: ALL },
  { name: "ADD --keep-git-dir (dockerfile 1.1)", is: /\s--keep-git-dir\b/, unknownTo: ALL },
  { name: "ADD --unpack (dockerfile 1.17)", is: /\s--unpack\b/, unknownTo: ALL },
  { name: "RUN --network (dockerfile 1.3)", is: /^\s*RUN\s.*--network=/im, unknownTo: ALL },
  { name: "HEALTHCHECK --start-interval (dockerfile 1.6)", is: /\s--start-interval=/, unknownTo: ALL },
  { name: "${x-y} and ${x+y}", is: /\$\{\w+[-+]/, unknownTo: ALL },
  { name: "${x#y}, ${x%y} and ${x/y/z} (dockerfile 1.7)", is: /\$\{\w+[#%/]/, unknownTo: ALL },
  { name: "letters for --chmod (dockerfile 1.14)", is: /\s--chmod=[^\s$]*[a-z]/i, unknownTo: ALL },
  { name: "memory of a size (dockerfile 1.3)", is: /\btype=tmpfs\b.*\bsize=/, unknownTo: ALL },
  { name: "another front end, without a network", is: /^#\s*syntax\s*=/im, unknownTo: ["docker"] },
  { name: "what takes BuildKit", is: /\s--(?:mount|chmod)=/, unknownTo: ["classic"] },
];

/** Why a peer refuses what others build: it is older than what the Dockerfile asks for. Null: that is no reason. */
export function tooNewFor(peer: Peer, dockerfile: string): string | null {
  const found = FEATURES.find(({ is, unknownTo }) => unknownTo.includes(peer) && is.test(dockerfile));
  return found === undefined ? null : `does not know ${found.name}`;
}
