import type { Arguments } from "../nodes/arguments.ts";
import type { Node } from "../nodes/node.ts";
import { DockerfileError } from "../source/failure.ts";
import { trimSpace } from "../source/go-text.ts";
import { readFlags } from "./flags.ts";
import type {
  Arg,
  Env,
  Expose,
  Label,
  Maintainer,
  OnBuild,
  Pair,
  StopSignal,
  User,
  Volume,
  Workdir,
} from "./instruction.ts";
import { common, onlyWord, requireSome } from "./node-parts.ts";

export function readEnv(node: Node): Env {
  readFlags(node, {});
  return { kind: "env", ...common(node), pairs: pairsOf(node, "ENV") };
}

export function readLabel(node: Node): Label {
  readFlags(node, {});
  return { kind: "label", ...common(node), pairs: pairsOf(node, "LABEL") };
}

function pairsOf({ pairs = [] }: Arguments, keyword: string): Pair[] {
  if (pairs.length === 0) throw new DockerfileError(`${keyword} requires at least one argument`);
  return pairs.map(([name, value, joint]) => {
    if (name === "") throw blankName(keyword);
    return { name, value, legacy: joint === "" };
  });
}

const blankName = (keyword: string) => new DockerfileError(`${keyword} names can not be blank`);

/** ARG takes no flags, and BuildKit does not say so of those that are given. */
export function readArg(node: Node): Arg {
  requireSome(node, "ARG");
  const args = node.words.map((word) => {
    const at = word.indexOf("=");
    if (at === 0) throw blankName("ARG");
    return at === -1 ? { name: word, value: null } : { name: word.slice(0, at), value: word.slice(at + 1) };
  });
  return { kind: "arg", ...common(node), args };
}

export function readExpose(node: Node): Expose {
  requireSome(node, "EXPOSE");
  readFlags(node, {});
  return { kind: "expose", ...common(node), ports: [...node.words].sort() };
}

export function readUser(node: Node): User {
  const user = onlyWord(node, "USER");
  readFlags(node, {});
  return { kind: "user", ...common(node), user };
}

export function readWorkdir(node: Node): Workdir {
  const path = onlyWord(node, "WORKDIR");
  readFlags(node, {});
  return { kind: "workdir", ...common(node), path };
}

export function readMaintainer(node: Node): Maintainer {
  const maintainer = onlyWord(node, "MAINTAINER");
  readFlags(node, {});
  return { kind: "maintainer", ...common(node), maintainer };
}

/** As ARG, it ignores flags. */
export function readStopSignal(node: Node): StopSignal {
  return { kind: "stopsignal", ...common(node), signal: onlyWord(node, "STOPSIGNAL") };
}

export function readVolume(node: Node): Volume {
  requireSome(node, "VOLUME");
  readFlags(node, {});
  const volumes = node.words.map(trimSpace);
  if (volumes.includes("")) throw new DockerfileError("VOLUME specified can not be an empty string");
  return { kind: "volume", ...common(node), volumes };
}

export function readOnBuild(node: Node): OnBuild {
  requireSome(node, "ONBUILD");
  readFlags(node, {});
  const trigger = node.child!.word.toUpperCase();
  if (trigger === "ONBUILD") throw new DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (trigger === "MAINTAINER" || trigger === "FROM") {
    throw new DockerfileError(`${trigger} isn't allowed as an ONBUILD trigger`);
  }
  const bodies = node.heredocs.map(({ name, content }) => `\n${content}${name}`).join("");
  return { kind: "onbuild", ...common(node), trigger: node.original.replace(/^\s*ONBUILD\s*/i, "") + bodies };
}
