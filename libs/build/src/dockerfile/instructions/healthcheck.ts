import type { Node } from "../nodes/node.ts";
import { formatDuration, MILLISECOND, type Nanoseconds, parseDuration } from "../source/duration.ts";
import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import { readFlags } from "./flags.ts";
import type { HealthcheckInstruction } from "./instruction.ts";
import { common, requireSome } from "./node-parts.ts";

const NOTHING = { interval: 0, timeout: 0, start_period: 0, start_interval: 0, retries: 0 };

export function readHealthcheck(node: Node): HealthcheckInstruction {
  requireSome(node, "HEALTHCHECK");
  const [word, ...words] = node.words as [string, ...string[]];
  const type = word.toUpperCase();
  if (type === "NONE") {
    if (words.length > 0) throw new DockerfileError("HEALTHCHECK NONE takes no arguments");
    return { kind: "healthcheck", ...common(node), healthcheck: { test: ["NONE"], ...NOTHING } };
  }
  const flags = readFlags(node, {
    interval: "text",
    timeout: "text",
    "start-period": "text",
    "start-interval": "text",
    retries: "text",
  });
  if (type !== "CMD") throw new DockerfileError(`Unknown type ${quote(type)} in HEALTHCHECK (try CMD)`);
  if (words.length === 0) throw new DockerfileError("Missing command after HEALTHCHECK CMD");
  return {
    kind: "healthcheck",
    ...common(node),
    healthcheck: {
      test: [node.json ? "CMD" : "CMD-SHELL", ...words],
      interval: time("interval", flags.interval),
      timeout: time("timeout", flags.timeout),
      start_period: time("start-period", flags["start-period"]),
      start_interval: time("start-interval", flags["start-interval"]),
      retries: count(flags.retries),
    },
  };
}

/** 0 stands for the default. */
function time(flag: string, text = ""): Nanoseconds {
  const duration = text === "" ? 0 : parseDuration(text);
  if (duration !== 0 && duration < MILLISECOND) {
    throw new DockerfileError(`Interval ${quote(flag)} cannot be less than ${formatDuration(MILLISECOND)}`);
  }
  return duration;
}

function count(text = ""): number {
  if (text === "") return 0;
  if (!/^[+-]?\d+$/.test(text)) {
    throw new DockerfileError(`strconv.ParseInt: parsing ${quote(text)}: invalid syntax`);
  }
  const retries = Number(text);
  if (retries < 0) throw new DockerfileError(`--retries cannot be negative (${retries})`);
  if (retries > 0x7fff_ffff) throw new DockerfileError(`strconv.ParseInt: parsing ${quote(text)}: value out of range`);
  return retries;
}
