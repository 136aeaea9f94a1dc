import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** `/etc/passwd` and `/etc/group` of the root file system that the names are of; null: there is none. */
export interface AccountFiles {
  readonly passwd: string | null;
  readonly group: string | null;
}

/** (uid_t) -1 is nobody's, and Docker takes no ids beyond 31 bits (CVE-2024-40635). */
const LARGEST_ID = 0x7fff_ffff;

/**
 * `user[:group]`, names or numbers, as `--chown` and USER have it. A number without a group has the group of that number, a name its own
 * group from passwd. @throws DockerfileError for names that nobody has
 */
export function readOwner(spec: string, files: AccountFiles): Owner {
  const colon = spec.indexOf(":");
  const user = colon === -1 ? spec : spec.slice(0, colon);
  const group = colon === -1 ? null : spec.slice(colon + 1);
  const { uid, gid } = userOf(user, files.passwd);
  return { uid, gid: group === null || group === "" ? gid : groupOf(group, files.group) };
}

function userOf(user: string, passwd: string | null): Owner {
  const number = idOf(user);
  if (number !== null) return { uid: number, gid: number };
  const fields = findLine(passwd, user);
  if (!fields)
    throw new DockerfileError(
      `unable to convert uid/gid chown string to host mapping: can't find uid for user ${user}: no such user: ${user}`,
    );
  return { uid: checkedId(fields[2], user), gid: checkedId(fields[3], user) };
}

function groupOf(group: string, file: string | null): number {
  const number = idOf(group);
  if (number !== null) return number;
  const fields = findLine(file, group);
  if (!fields)
    throw new DockerfileError(
      `unable to convert uid/gid chown string to host mapping: can't find gid for group ${group}: no such group: ${group}`,
    );
  return checkedId(fields[2], group);
}

/** A name that is all digits is a number, whatever passwd says of it. @throws DockerfileError for a number that is no id */
function idOf(text: string): number | null {
  return /^[+-]?\d+$/.test(text) ? checkedId(text, text) : null;
}

function checkedId(text: string | undefined, of: string): number {
  const id = /^\d+$/.test(text ?? "") ? Number(text) : Number.NaN;
  if (!(id <= LARGEST_ID)) throw new DockerfileError(`${quote(text ?? "")} is no id from 0 to ${LARGEST_ID} (${of})`);
  return id;
}

function findLine(file: string | null, name: string): string[] | undefined {
  const lines = (file ?? "").split("\n").map((line) => line.trimEnd().split(":"));
  return lines.find((fields) => fields[0] === name && name !== "");
}
