/** One challenge of a `WWW-Authenticate` header (RFC 9110 §11.6.1). */
export interface Challenge {
  /** Lower case. */
  readonly scheme: string;
  /** Names in lower case, values without their quotes. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const TOKEN68 = /[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))/y;

/** Reads every challenge of a header's value. What cannot be read ends the list: the challenges before it stand. */
export function parseChallenges(header: string): Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(header);
    if (match) at = pattern.lastIndex;
    return match;
  };
  for (;;) {
    take(/[\s,]*/y);
    const word = take(TOKEN)?.[0];
    if (word === undefined) return found;
    const current = found.at(-1);
    if (take(/\s*=\s*/y) && current) {
      const value = take(QUOTED)?.[1]?.replace(/\\(.)/g, "$1") ?? take(TOKEN)?.[0];
      if (value === undefined) return found;
      current.parameters.set(word.toLowerCase(), value);
      continue;
    }
    found.push({ scheme: word.toLowerCase(), parameters: new Map() });
    take(/\s+/y);
    // A scheme may carry one opaque value (Negotiate does): it is not looked at.
    take(TOKEN68);
  }
}
