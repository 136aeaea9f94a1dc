/** `/fn/{name}[@{version|alias}][/{path}][?query]`, taken apart without decoding: the function sees its path as it was sent. */
export interface CallTarget {
  readonly name: string;
  readonly reference: string;
  /** Path and query as the function sees them. */
  readonly target: string;
  readonly prefix: string;
}

const PATTERN = /^(\/fn\/([a-z0-9-]{1,63})(?:@([a-z0-9-]{1,63}))?)(\/[^?]*)?(\?.*)?$/;

export function parseTarget(url: string): CallTarget | null {
  const match = PATTERN.exec(url);
  if (!match) return null;
  const [, prefix, name, reference = "live", path = "/", query = ""] = match;
  return { name: name!, reference, target: `${path}${query}`, prefix: prefix! };
}
