import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { BadOption } from "./start-options.ts";

/** The ids of our own unprivileged user. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** `$MAYFLY_HOME`: where everything of one instance lies, and who may see it. */
export interface Home {
  readonly path: string;
  /** Two instances with different homes live side by side: this names their cgroups. */
  readonly instance: string;
  readonly run: string;
  readonly redisDir: string;
  readonly redisSocket: string;
  readonly channelSocket: string;
  readonly supervisorSocket: string;
  readonly images: string;
  readonly key: string;
}

/**
 * Makes the folders of an instance. Parts that the gateway or Redis write belong to `runAs`; everything else is root's alone.
 * @throws BadOption when there can be no home at that path; then nothing is made.
 */
export function makeHome(path: string, runAs: RunAs, givenKey: string | undefined): Home {
  const real = whereItWillBe(path);
  const channelSocket = join(real, "run", "channel.sock");
  if (Buffer.byteLength(channelSocket) > LONGEST_SOCKET) {
    throw new BadOption(
      `MAYFLY_HOME=${path} is too long: a Unix socket's path holds ${LONGEST_SOCKET} bytes, ${channelSocket} has more`,
    );
  }
  requireReachable(path, real);
  makeFolders(path, real);
  const folder = (name: string, owner: RunAs | null, mode: number) => {
    const full = join(real, name);
    try {
      mkdirSync(full, { recursive: true });
      chmodSync(full, mode);
      if (owner) chownSync(full, owner.uid, owner.gid);
    } catch (error) {
      throw unusable(path, error);
    }
    return full;
  };
  const run = folder("run", runAs, 0o750);
  const home: Home = {
    path: real,
    instance: instanceOf(real),
    run,
    redisDir: folder("redis", runAs, 0o700),
    redisSocket: join(run, "redis.sock"),
    channelSocket,
    supervisorSocket: join(real, "supervisor.sock"),
    images: folder("images", null, 0o700),
    key: readKey(join(real, "key"), givenKey),
  };
  folder("data", runAs, 0o700);
  folder("uploads", runAs, 0o700);
  folder("registry", runAs, 0o700);
  folder("spool", null, 0o700);
  return home;
}

/** sockaddr_un holds 108 bytes, the last of them a NUL. */
const LONGEST_SOCKET = 107;

/** The path without links: of what is there, and below it as it was given. */
function whereItWillBe(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw unusable(path, error);
    return join(whereItWillBe(dirname(path)), basename(path));
  }
}

/** The gateway and Redis are not root: every folder above the home must let others through. */
function requireReachable(path: string, home: string): void {
  for (let dir = home; dir !== "/"; dir = dirname(dir)) {
    const found = statSync(dir, { throwIfNoEntry: false });
    if (found && !found.isDirectory()) throw new BadOption(`MAYFLY_HOME=${path} cannot be used: ${dir} is no folder`);
    if (found && (found.mode & 0o001) === 0) {
      throw new BadOption(
        `MAYFLY_HOME=${path}: the user that runs gateway and Redis cannot enter ${dir}; choose another home, or chmod o+x ${dir}`,
      );
    }
  }
}

/** One after the other: mkdir's own recursion never ends where nothing can be made (/proc). Others may enter, whatever the umask. */
function makeFolders(path: string, real: string): void {
  if (existsSync(real)) return;
  makeFolders(path, dirname(real));
  try {
    mkdirSync(real);
    chmodSync(real, 0o755);
  } catch (error) {
    throw unusable(path, error);
  }
}

const unusable = (path: string, error: unknown) =>
  new BadOption(`MAYFLY_HOME=${path} cannot be used: ${(error as Error).message}; choose another home`);

/** Kept whole or not at all; a file that is empty holds none. @throws BadOption for a file that holds none that could be sent */
function readKey(path: string, given: string | undefined): string {
  if (given) return given;
  const kept = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  if (kept === "") {
    const made = `mf_${randomBytes(24).toString("base64url")}`;
    writeFileSync(`${path}.new`, `${made}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
    return made;
  }
  if (/^[!-~]{8,}$/.test(kept)) return kept;
  throw new BadOption(
    `${path} holds no key: 8 or more printable characters without spaces; remove it, and a new one is made`,
  );
}

/** Names what an instance has on the machine by the real path of its home. */
export const instanceOf = (home: string): string =>
  `m${createHash("sha256").update(realpathSync(home)).digest("hex").slice(0, 10)}`;
