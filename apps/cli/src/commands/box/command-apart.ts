import type { Command } from "commander";

/**
 * `mayfly [flags] run [flags] IMAGE command…`: flags behind the image are the command's, whatever they look like. Puts `--` before the
 * image; any other command line stays as it is.
 */
export function commandApart(argv: readonly string[], program: Command): string[] {
  const run = program.commands.find((one) => one.name() === "run")!;
  const at = firstWord(argv, 2, [program]);
  if (argv[at] !== "run") return [...argv];
  const image = firstWord(argv, at + 1, [run, program]);
  return image === argv.length || argv[image] === "--"
    ? [...argv]
    : [...argv.slice(0, image), "--", ...argv.slice(image)];
}

/** Where the first word stands that is neither a flag of these commands nor the value of one. */
function firstWord(argv: readonly string[], from: number, known: readonly Command[]): number {
  const takesValue = (flag: string) =>
    known.some(({ options }) => options.some((one) => (one.short === flag || one.long === flag) && one.required));
  let at = from;
  for (; at < argv.length && /^-./.test(argv[at]!) && argv[at] !== "--"; at += 1) {
    const flag = argv[at]!;
    if (flag.startsWith("--")) {
      if (takesValue(flag)) at += 1;
      continue;
    }
    // Short flags together: the first that takes a value takes the rest, or what follows.
    const valued = [...flag.slice(1)].findIndex((letter) => takesValue(`-${letter}`));
    if (valued >= 0 && valued === flag.length - 2) at += 1;
  }
  return Math.min(at, argv.length);
}
