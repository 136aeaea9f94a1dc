import { createHash, randomBytes } from "node:crypto";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

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
 * @throws Error when the unprivileged user could not reach the home.
 */
export function makeHome(path: string, runAs: RunAs, givenKey: string | undefined): Home {
  mkdirSync(path, { recursive: true, mode: 0o755 });
  const real = realpathSync(path);
  requireReachable(real);
  const folder = (name: string, owner: RunAs | null, mode: number) => {
    const full = join(real, name);
    mkdirSync(full, { recursive: true });
    chmodSync(full, mode);
    if (owner) chownSync(full, owner.uid, owner.gid);
    return full;
  };
  const run = folder("run", runAs, 0o750);
  const home: Home = {
    path: real,
    instance: `m${createHash("sha256").update(real).digest("hex").slice(0, 10)}`,
    run,
    redisDir: folder("redis", runAs, 0o700),
    redisSocket: join(run, "redis.sock"),
    channelSocket: join(run, "channel.sock"),
    supervisorSocket: join(real, "supervisor.sock"),
    images: folder("images", null, 0o700),
    key: readKey(join(real, "key"), givenKey),
  };
  folder("data", runAs, 0o700);
  folder("uploads", runAs, 0o700);
  folder("spool", null, 0o700);
  if (Buffer.byteLength(home.channelSocket) > 100) {
    throw new Error(`MAYFLY_HOME is too long: a Unix socket's path holds 107 bytes, ${home.channelSocket} has more`);
  }
  return home;
}

/** The gateway and Redis are not root: every folder above the home must let others through. */
function requireReachable(home: string): void {
  for (let dir = home; dir !== "/"; dir = dirname(dir)) {
    if ((statSync(dir).mode & 0o001) === 0) {
      throw new Error(
        `MAYFLY_HOME=${home}: the user that runs gateway and Redis cannot enter ${dir}; choose another home, or chmod o+x ${dir}`,
      );
    }
  }
}

function readKey(path: string, given: string | undefined): string {
  if (given) return given;
  if (!existsSync(path)) writeFileSync(path, `mf_${randomBytes(24).toString("base64url")}\n`, { mode: 0o600 });
  return readFileSync(path, "utf8").trim();
}
