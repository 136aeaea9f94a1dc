import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import type { Box } from "@mayfly/container";

/** A line that never ends is told in pieces of this many characters. */
const LONGEST_LINE = 16 * 1024;

/**
 * Tells what a box of a build writes, in whole lines with their ends: programs write them in pieces, and each telling is a record of the
 * log. Resolves when both streams are closed and all has been told.
 */
export async function tellLines(
  { stdout, stderr }: Pick<Box, "stdout" | "stderr">,
  tell: (stream: "stdout" | "stderr", text: string) => void,
): Promise<void> {
  await Promise.all([lines(stdout, (text) => tell("stdout", text)), lines(stderr, (text) => tell("stderr", text))]);
}

async function lines(source: Readable, tell: (text: string) => void): Promise<void> {
  // A program that was quick and said nothing: its stream's end is over, too.
  if (source.closed) return;
  const decoder = new StringDecoder("utf8");
  let rest = "";
  source.on("data", (chunk: Buffer) => {
    rest += decoder.write(chunk);
    const whole = rest.length > LONGEST_LINE ? rest.length : rest.lastIndexOf("\n") + 1;
    if (whole > 0) tell(rest.slice(0, whole));
    rest = rest.slice(whole);
  });
  return new Promise((resolve) => {
    source.once("close", () => {
      rest += decoder.end();
      if (rest !== "") tell(rest);
      resolve();
    });
  });
}
