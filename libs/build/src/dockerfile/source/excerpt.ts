import { linesOf, type Range } from "./position.ts";

const RULE = "--------------------";

/**
 * The lines around a range, those of the range marked, in BuildKit's layout (solver/errdefs/source.go): two lines on each side of several,
 * four steps outward around a single one. Empty when the range is not in the source.
 */
export function excerptOf(source: string, range: Range, file = "Dockerfile"): string {
  const lines = source.replace(/^\uFEFF/, "").split("\n");
  const [first, last] = linesOf(range);
  if (first < 1 || first > lines.length) return "";
  let start = first;
  let end = Math.min(last, lines.length);
  const around = start === end ? 4 : 2;
  // A step counts one for itself and one for each line it shows: near an edge the other side gets more.
  for (let shown = 0; shown < around; shown++) {
    if (start > 1) {
      start--;
      shown++;
    }
    if (end !== lines.length) {
      end++;
      shown++;
    }
  }
  const shown = lines.slice(start - 1, end).map((line, at) => {
    const number = start + at;
    const mark = number >= first && number <= last ? ">>>" : "   ";
    return ` ${String(number).padStart(3)} | ${mark} ${line}\n`;
  });
  return `${file}:${first}\n${RULE}\n${shown.join("")}${RULE}\n`;
}
