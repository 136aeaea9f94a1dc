import { DockerfileError } from "../source/failure.ts";

/** The fields of one line of comma-separated values; those in double quotes may have commas (RFC 4180, as encoding/csv reads it). */
export function readCsv(line: string): string[] {
  const fields: string[] = [];
  let at = 0;
  for (;;) {
    if (line[at] === '"') {
      const [field, end] = quotedField(line, at);
      fields.push(field);
      at = end;
    } else {
      const comma = line.indexOf(",", at);
      const field = line.slice(at, comma === -1 ? line.length : comma);
      if (field.includes('"')) {
        throw new DockerfileError(`failed to parse csv mounts: bare " in non-quoted field: ${line}`);
      }
      fields.push(field);
      at += field.length;
    }
    if (at >= line.length) return fields;
    at++;
  }
}

function quotedField(line: string, start: number): [field: string, end: number] {
  let field = "";
  for (let at = start + 1; at < line.length; at++) {
    if (line[at] !== '"') field += line[at];
    else if (line[at + 1] === '"') field += line[at++];
    else if (at + 1 === line.length || line[at + 1] === ",") return [field, at + 1];
    else break;
  }
  throw new DockerfileError(`failed to parse csv mounts: extraneous or missing " in quoted-field: ${line}`);
}
