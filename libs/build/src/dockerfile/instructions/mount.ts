import { DockerfileError } from "../source/failure.ts";
import { quote } from "../source/go-text.ts";
import { didYouMean } from "../source/suggest.ts";
import { readCsv } from "./csv.ts";
import { readSize } from "./size.ts";

const MOUNT_TYPES = ["bind", "cache", "tmpfs", "secret", "ssh"] as const;
export type MountType = (typeof MOUNT_TYPES)[number];
const SHARING = ["shared", "private", "locked"] as const;
export type Sharing = (typeof SHARING)[number];

/** One `RUN --mount=…`. Empty texts were not given. */
export interface Mount {
  readonly type: MountType;
  /** A stage, its number, or an image. */
  readonly from: string;
  readonly source: string;
  readonly target: string;
  readonly read_only: boolean;
  readonly id: string;
  readonly sharing: Sharing | null;
  readonly required: boolean;
  /** tmpfs: bytes. */
  readonly size_bytes: number | null;
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** secret: the variable that it is given in, too. */
  readonly env: string | null;
}
type Draft = { -readonly [Member in keyof Mount]: Mount[Member] };

const KEYS = [
  "type",
  "from",
  "source",
  "target",
  "readonly",
  "id",
  "sharing",
  "required",
  "size",
  "mode",
  "uid",
  "gid",
  "src",
  "dst",
  "destination",
  "ro",
  "rw",
  "readwrite",
  "env",
];

/** Reads the value of `--mount`; `expand` is for each value in it. @throws DockerfileError */
export function readMount(text: string, expand: (value: string) => string): Mount {
  const mount: Draft = {
    type: "bind",
    from: "",
    source: "",
    target: "",
    read_only: false,
    id: "",
    sharing: null,
    required: false,
    size_bytes: null,
    mode: null,
    uid: null,
    gid: null,
    env: null,
  };
  let chosen = false;
  for (const field of readCsv(text)) {
    const at = field.indexOf("=");
    const key = (at === -1 ? field : field.slice(0, at)).toLowerCase();
    if (ACCESS[key]) chosen = true;
    if (at === -1) setSwitch(mount, key, field);
    else setValue(mount, key, expand(field.slice(at + 1)), field);
  }
  if (!chosen) mount.read_only = mount.type !== "cache" && mount.type !== "tmpfs";
  checkMount(mount);
  return mount;
}

/** The `from` of a mount: which stage must be built before is known without any variable. Empty without. @throws DockerfileError */
export function mountSource(text: string): string {
  let from = "";
  for (const field of readCsv(text)) {
    const at = field.indexOf("=");
    if (at === -1 || field.slice(0, at).toLowerCase() !== "from") continue;
    from = field.slice(at + 1);
    if (/\$./.test(from)) {
      throw new DockerfileError("'from' doesn't support variable expansion, define alias stage instead");
    }
  }
  return from;
}

/** Keys for read-only or not, and whether they mean read-only. */
const ACCESS: Readonly<Record<string, "ro" | "rw">> = { readonly: "ro", ro: "ro", readwrite: "rw", rw: "rw" };

function setSwitch(mount: Draft, key: string, field: string): void {
  const access = ACCESS[key];
  if (access) mount.read_only = access === "ro";
  else if (key === "required") mount.required = forSecrets(mount, key);
  else throw new DockerfileError(`invalid field '${field}' must be a key=value pair`);
}

function setValue(mount: Draft, key: string, value: string, field: string): void {
  const access = ACCESS[key];
  if (access) {
    mount.read_only = readBool(key, value) === (access === "ro");
    return;
  }
  switch (key) {
    case "type":
      mount.type = oneOf(MOUNT_TYPES, value, "unsupported mount type");
      return;
    case "sharing":
      mount.sharing = oneOf(SHARING, value, "unsupported sharing value");
      return;
    case "from":
      mount.from = value;
      return;
    case "source":
    case "src":
      mount.source = value;
      return;
    case "target":
    case "dst":
    case "destination":
      mount.target = value;
      return;
    case "id":
      mount.id = value;
      return;
    case "env":
      mount.env = value;
      return;
    case "required":
      mount.required = forSecrets(mount, key) && readBool(key, value);
      return;
    case "size":
      if (mount.type !== "tmpfs") throw unexpected(key, mount);
      mount.size_bytes = readSize(value);
      if (mount.size_bytes === null) throw new DockerfileError(`invalid value for ${key}: ${value}`);
      return;
    case "mode":
      mount.mode = readNumber(value, /^[0-7]+$/, 8, key);
      return;
    case "uid":
    case "gid":
      mount[key] = readNumber(value, /^\d+$/, 10, key);
      return;
    default:
      throw new DockerfileError(`unexpected key '${key}' in '${field}'${didYouMean(key, KEYS)}`);
  }
}

const unexpected = (key: string, { type }: Draft) =>
  new DockerfileError(`unexpected key '${key}' for mount type '${type}'`);

function forSecrets(mount: Draft, key: string): true {
  if (mount.type !== "secret" && mount.type !== "ssh") throw unexpected(key, mount);
  return true;
}

function oneOf<const Known extends string>(known: readonly Known[], value: string, what: string): Known {
  const found = known.find((option) => option === value.toLowerCase());
  if (found === undefined) throw new DockerfileError(`${what} ${quote(value)}${didYouMean(value, known)}`);
  return found;
}

/** strconv.ParseBool */
function readBool(key: string, value: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(value)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(value)) return false;
  throw new DockerfileError(`invalid value for ${key}: ${value}`);
}

function readNumber(value: string, digits: RegExp, base: number, key: string): number {
  const number = digits.test(value) ? Number.parseInt(value, base) : Number.NaN;
  if (!(number <= 0xffff_ffff)) throw new DockerfileError(`invalid value ${value} for ${key}`);
  return number;
}

function checkMount({ type, from, source, target, id, sharing, mode, uid, gid, env }: Draft): void {
  if (type === "bind" || type === "tmpfs") {
    for (const [key, value] of Object.entries({ mode, uid, gid })) {
      if (value !== null) throw new DockerfileError(`${key} not allowed for ${quote(type)} type mounts`);
    }
  }
  if (type === "secret") {
    if (from !== "") throw new DockerfileError("secret mount should not have a from");
    if (sharing !== null) throw new DockerfileError("secret mount should not define sharing");
    if (source === "" && target === "" && id === "") {
      throw new DockerfileError("invalid secret mount. one of source, target required");
    }
    if (source !== "" && id !== "") throw new DockerfileError("both source and id can't be set");
  } else if (env !== null) {
    throw new DockerfileError(`unexpected key 'env' for mount type '${type}'`);
  }
  if (sharing !== null && type !== "cache") throw new DockerfileError(`invalid cache sharing set for ${type} mount`);
}
