import { parseArgs } from "node:util";
import type { Amount, Bench } from "./bench.ts";
import { BENCHES } from "./benches.ts";

export type CommandLine =
  | { readonly kind: "help" }
  | { readonly kind: "wrong"; readonly message: string }
  | {
      readonly kind: "run";
      readonly benches: readonly Bench[];
      readonly amount: Partial<Amount>;
      /** Whether docs/performance.* are written. */
      readonly write: boolean;
      /** As one would type it. */
      readonly text: (bench: Bench) => string;
    };

const OPTIONS = {
  blocks: { type: "string" },
  count: { type: "string" },
  write: { type: "boolean" },
  help: { type: "boolean", short: "h" },
} as const;

/** `[NAME…] [--blocks N] [--count N] [--write] [--help]`. Without a name all run, and their figures are written. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(argv);
  } catch (error) {
    return { kind: "wrong", message: `${(error as Error).message}; --help lists what there is` };
  }
  const { values, positionals } = parsed;
  if (values.help) return { kind: "help" };
  const unknown = positionals.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) {
    const names = BENCHES.map((bench) => bench.name).join(", ");
    return { kind: "wrong", message: `there is no ${unknown}; there is ${names}` };
  }
  const amount: { blocks?: number; count?: number } = {};
  for (const name of ["blocks", "count"] as const) {
    const text = values[name];
    if (text === undefined) continue;
    if (!/^[1-9]\d{0,5}$/.test(text)) return { kind: "wrong", message: `--${name} ${text}: a whole number from 1` };
    amount[name] = Number(text);
  }
  const whole = positionals.length === 0;
  if (whole && amount.count !== undefined)
    return { kind: "wrong", message: "--count means something else to each bench: name one" };
  const options = Object.entries(amount).map(([name, value]) => ` --${name} ${value}`);
  return {
    kind: "run",
    benches: whole ? BENCHES : BENCHES.filter(({ name }) => positionals.includes(name)),
    amount,
    write: whole || values.write === true,
    text: (bench) => `npm run bench -- ${bench.name}${options.join("")}`,
  };
}

const parse = (argv: readonly string[]) =>
  parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, strict: true });

export function helpText(): string {
  const lines = BENCHES.map(
    ({ name, about, counts, usual }) =>
      `  ${name.padEnd(10)} ${about}\n${" ".repeat(13)}--blocks ${usual.blocks} --count ${usual.count} (${counts})\n`,
  );
  return `npm run bench [-- NAME… [options]]

Measures beside peers, in turns. Without a name: everything, at most ten minutes, and docs/performance.{md,svg,json} are written.

${lines.join("")}
  --blocks N   turns (default as above)
  --count N    how many of what the bench counts
  --write      write docs/performance.* for the named ones too
  --help       this text
`;
}
