import type { Node } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import { didYouMean } from "../source/suggest.ts";
import { readFlags } from "./flags.ts";
import type { Cmd, CommandLine, Entrypoint, Run, Shell } from "./instruction.ts";
import { mountSource } from "./mount.ts";
import { common, requireSome } from "./node-parts.ts";

const NETWORKS = ["default", "none", "host"];
const SECURITIES = ["sandbox", "insecure"];

export function readRun(node: Node): Run {
  const {
    mount,
    network = "default",
    security = "sandbox",
  } = readFlags(node, {
    mount: "list",
    network: "text",
    security: "text",
  });
  if (!NETWORKS.includes(network)) {
    throw new DockerfileError(`invalid network mode ${quote(network)}${didYouMean(network, NETWORKS)}`);
  }
  if (!SECURITIES.includes(security)) {
    throw new DockerfileError(`security ${quote(security)} is not valid${didYouMean(security, SECURITIES)}`);
  }
  return {
    kind: "run",
    ...common(node),
    ...lineOf(node),
    heredocs: node.heredocs.map(({ name, content, chomp }) => ({ name, content, chomp })),
    mounts: mount,
    mount_sources: mount.map(mountSource).filter((from) => from !== ""),
    network,
    security,
  };
}

export function readCmd(node: Node): Cmd {
  readFlags(node, {});
  return { kind: "cmd", ...common(node), ...lineOf(node) };
}

export function readEntrypoint(node: Node): Entrypoint {
  readFlags(node, {});
  return { kind: "entrypoint", ...common(node), ...lineOf(node) };
}

export function readShell(node: Node): Shell {
  readFlags(node, {});
  requireSome(node, "SHELL");
  if (!node.json) throw new DockerfileError("SHELL requires the arguments to be in JSON form");
  return { kind: "shell", ...common(node), shell: node.words };
}

const lineOf = ({ words, json }: Node): CommandLine => ({ words, shell: !json });
