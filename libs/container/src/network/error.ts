/** The network of boxes could not be made or used: what was tried, what the system answered, what to do about it. */
export class NetworkError extends Error {
  override name = "NetworkError";
  /** Step and answer. */
  readonly found: string;
  readonly remedy: string | null;

  constructor(step: string, answer: string, remedy: string | null, cause?: unknown) {
    const found = `${step}: ${answer}`;
    super(`network of boxes: ${found}${remedy === null ? "" : `; ${remedy}`}`, { cause });
    this.found = found;
    this.remedy = remedy;
  }
}
