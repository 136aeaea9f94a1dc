import { figure } from "./figure.ts";
import { isReached, type Ratio, type Table } from "./result.ts";

/** A Markdown table that is aligned for the terminal as well: the first column to the left, figures to the right. */
export function formatTable({ columns, rows }: Pick<Table, "columns" | "rows">): string {
  const lines = [columns, ...rows].map((cells) => cells.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = columns.map((_, i) => Math.max(3, ...lines.map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join(" | ")} |\n`;
  const rule = `|${widths.map((width, i) => (i === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|\n`;
  return line(lines[0]!) + rule + lines.slice(1).map(line).join("");
}

export const ratioTable = (ratios: readonly Ratio[]): string =>
  formatTable({
    columns: ["measure", "wanted", "seen", "reached"],
    rows: ratios.map((ratio) => [
      ratio.measure,
      "atLeast" in ratio.wanted ? `≥ ${ratio.wanted.atLeast}` : `≤ ${ratio.wanted.atMost}`,
      `${figure(ratio.value)}${ratio.unit && ` ${ratio.unit}`}`,
      isReached(ratio) ? "yes" : "no",
    ]),
  });
