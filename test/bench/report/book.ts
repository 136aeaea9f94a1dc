import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { formatDocument } from "./document.ts";
import { formatPlot } from "./plot.ts";
import type { Result } from "./result.ts";

/**
 * Enters results into `docs`: performance.json holds all that is known, each bench's newest; performance.md and performance.svg are drawn
 * from it, so that one bench can be run again without the others.
 * @param order names of all benches; what is not among them is dropped
 */
export function enter(docs: string, results: readonly Result[], order: readonly string[]): void {
  const path = join(docs, "performance.json");
  const before: Result[] = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : [];
  const newest = new Map([...before, ...results].map((result) => [result.bench, result]));
  const book = order.flatMap((name) => newest.get(name) ?? []);
  writeFileSync(path, `${JSON.stringify(book, null, 1)}\n`);
  writeFileSync(join(docs, "performance.md"), formatDocument(book));
  writeFileSync(join(docs, "performance.svg"), formatPlot(book.flatMap((result) => result.charts)));
}
