/** A place in a Dockerfile, both counted from 1; columns are UTF-16 units, as editors count them. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** From the first character to the one after the last. */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}

/** The lines that a range touches, first and last. */
export const linesOf = ({ start, end }: Range): readonly [first: number, last: number] => [
  start.line,
  Math.max(start.line, end.line),
];
