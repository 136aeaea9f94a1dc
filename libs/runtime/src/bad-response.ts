/** What a handler returned and what is no answer. */
export class BadResponse extends Error {
  override name = "BadResponse";
}
