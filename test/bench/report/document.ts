import type { Machine, Result } from "./result.ts";
import { formatTable, ratioTable } from "./table.ts";

/** docs/performance.md, whole. Every figure in it is a result's. */
export function formatDocument(results: readonly Result[]): string {
  const machines = [...new Map(results.map(({ machine }) => [JSON.stringify(machine), machine])).values()];
  const ratios = results.flatMap((result) => result.ratios);
  return [
    "# Performance",
    "",
    "Written by `npm run bench`; nothing here is by hand. Read ratios, not absolute figures: everything in a table ran in one run, in turns (A B C A B C …), on the machine below. Where a range stands, it is that of the blocks' medians.",
    "",
    "![The figures as bars](performance.svg)",
    "",
    ...machines.flatMap((machine, i) => [
      `## Machine${machines.length > 1 ? ` ${i + 1}` : ""}`,
      "",
      formatMachine(machine),
    ]),
    ...(ratios.length > 0 ? ["## What is aimed at", "", ratioTable(ratios)] : []),
    ...results.map((result) =>
      formatSection(result, machines.length > 1 ? indexOf(machines, result.machine) + 1 : null),
    ),
  ].join("\n");
}

export const formatMachine = (machine: Machine): string =>
  Object.entries(machine)
    .map(([name, fact]) => `- ${name}: ${fact}\n`)
    .join("");

/** One bench: what it asks, how to run it, its tables, what must be known to read them. */
export function formatSection(result: Result, machine: number | null = null): string {
  const facts = [result.at, `commit ${result.commit}`, `load before it ${result.load.toFixed(2)}`];
  if (machine !== null) facts.push(`machine ${machine}`);
  return [
    `## ${result.bench}`,
    "",
    `${result.about}`,
    "",
    `\`${result.command}\` · ${facts.join(" · ")}`,
    "",
    ...result.tables.flatMap((table) => [`${table.caption}:`, "", formatTable(table)]),
    ...result.notes.map((note) => `- ${note}`),
    ...(result.notes.length > 0 ? [""] : []),
  ].join("\n");
}

const indexOf = (machines: readonly Machine[], machine: Machine): number =>
  machines.findIndex((other) => JSON.stringify(other) === JSON.stringify(machine));
