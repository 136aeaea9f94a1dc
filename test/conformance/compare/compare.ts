import { type Found, isRefusal, lineOf, type Made } from "../made/made.ts";

/** One thing that two engines have made otherwise. */
export type Difference =
  | { readonly kind: "outcome"; readonly ours: string; readonly theirs: string }
  | { readonly kind: "file"; readonly path: string; readonly ours: Side; readonly theirs: Side }
  | { readonly kind: "config"; readonly name: string; readonly ours: unknown; readonly theirs: unknown };

/** undefined: as in the base; null: not there, and the base has it. */
type Side = Found | null | undefined;

/** All of them. History is what is told of a build, and every engine tells it in its own way: it is compared with BuildKit alone. */
export function differencesOf(ours: Made, theirs: Made, withHistory: boolean): Difference[] {
  if (isRefusal(ours) || isRefusal(theirs)) {
    if (isRefusal(ours) && isRefusal(theirs)) return [];
    return [{ kind: "outcome", ours: outcomeOf(ours), theirs: outcomeOf(theirs) }];
  }
  const differences: Difference[] = [];
  for (const path of [...new Set([...ours.files.keys(), ...theirs.files.keys()])].sort()) {
    const [our, their] = [ours.files.get(path), theirs.files.get(path)];
    if (!isSame(our, their)) differences.push({ kind: "file", path, ours: our, theirs: their });
  }
  for (const name of new Set([...Object.keys(ours.config), ...Object.keys(theirs.config)])) {
    if (name === "History" && !withHistory) continue;
    const [our, their] = [ours.config[name], theirs.config[name]];
    if (JSON.stringify(our) !== JSON.stringify(their))
      differences.push({ kind: "config", name, ours: our, theirs: their });
  }
  return differences;
}

const outcomeOf = (made: Made): string => (isRefusal(made) ? `refused: ${made.refused}` : "built");

function isSame(a: Side, b: Side): boolean {
  if (a === undefined || b === undefined || a === null || b === null) return a === b;
  return lineOf("", a) === lineOf("", b);
}

export function textOf(difference: Difference, peer: string): string {
  const [ours, theirs] = [side(difference, "ours"), side(difference, "theirs")];
  const what = difference.kind === "file" ? `/${difference.path}` : difference.kind === "config" ? difference.name : "";
  return `${what}\n        mayfly ${ours}\n        ${peer.padEnd(6)} ${theirs}`;
}

function side(difference: Difference, which: "ours" | "theirs"): string {
  if (difference.kind === "outcome") return difference[which];
  if (difference.kind === "config") return JSON.stringify(difference[which]) ?? "-";
  const found = difference[which];
  if (found === undefined) return "as in the base";
  return found === null ? "not there" : lineOf("", found).trim();
}
