import type { BuildRecord } from "@mayfly/contract";
import { CliError, EXIT } from "../failure.ts";
import { failureLines } from "./failure.ts";
import { plainLines } from "./plain.ts";
import { Steps } from "./steps.ts";
import { TerminalView } from "./terminal.ts";

export const PROGRESS = ["auto", "plain", "tty", "rawjson", "quiet"] as const;
export type ProgressKind = (typeof PROGRESS)[number];

/** Shows a build's records as they come. */
export interface Progress {
  take(record: BuildRecord): void;
  /** What is no record: something takes its time. Those who read records or nothing are not told. */
  say(line: string): void;
  /** After the last record: of a failure, where it is. */
  end(result: BuildRecord): void;
}

/** @throws CliError for a kind that there is not */
export function progressKind(text: string): ProgressKind {
  const kind = PROGRESS.find((one) => one === text);
  if (kind) return kind;
  throw new CliError(`--progress ${text} is none of ${PROGRESS.join(", ")}`, { exit: EXIT.usage });
}

/** `auto` is a drawing where a person looks at the stream, and lines elsewhere. */
export function openProgress(kind: ProgressKind, stream: NodeJS.WriteStream): Progress {
  const write = (line: string) => void stream.write(`${line}\n`);
  if (kind === "rawjson") return { take: (record) => write(JSON.stringify(record)), say: () => {}, end: () => {} };
  const steps = new Steps();
  const explain = (result: BuildRecord) => {
    if (result.status === "error") for (const line of failureLines(steps.failed, result.error)) write(line);
  };
  if (kind === "quiet") return { take: (record) => void steps.take(record), say: () => {}, end: explain };
  if (kind === "tty" || (kind === "auto" && stream.isTTY)) {
    const view = new TerminalView(steps, stream);
    return {
      take: (record) => {
        view.heard(record.ts);
        steps.take(record);
        if (record.step === "warning") view.say(`WARNING: ${record.msg}`);
      },
      say: (line) => view.say(line),
      end: (result) => {
        view.close();
        explain(result);
      },
    };
  }
  return {
    take: (record) => {
      for (const line of plainLines(record, steps.take(record))) write(line);
    },
    say: write,
    end: explain,
  };
}
