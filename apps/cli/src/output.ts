import { once } from "node:events";
import { styleText } from "node:util";

/** Data to stdout, everything else to stderr; colour only where a person looks at it. */
export const out = (text: string): void => void process.stdout.write(`${text}\n`);
export const note = (text: string): void => void process.stderr.write(`${text}\n`);
export const json = (value: unknown): void => out(JSON.stringify(value, null, 2));

/** Bytes to stdout, no faster than they are taken from it. */
export async function pour(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) if (!process.stdout.write(chunk)) await once(process.stdout, "drain");
}

/** NO_COLOR and FORCE_COLOR are honoured by styleText itself. */
export const paint = (
  style: "bold" | "dim" | "red" | "green" | "cyan",
  text: string,
  stream: NodeJS.WriteStream = process.stderr,
): string => styleText(style, text, { stream });

/** Whether a stream wants colour, by the same rules. */
export const inColor = (stream: NodeJS.WriteStream): boolean => paint("bold", "x", stream) !== "x";

/** Columns apart by two spaces, as `docker ps` has them. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd();
  return [head, ...rows].map(line).join("\n");
}
