import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { CGROUP_COUNTERS, type CgroupUsage, type Ending } from "@mayfly/contract";
import type { RunProgram } from "../dockerfile/execute/ports.ts";

/** overlayfs as images want it; mounted as long as the program runs. */
const SCRIPT = `
mount -t overlay overlay -o "lowerdir=$LOWER,upperdir=$DIR/upper,workdir=$DIR/work,redirect_dir=nofollow,metacopy=off,index=off" "$DIR/root"
exec env -i "$@"
`;

const UNCOUNTED = Object.fromEntries(CGROUP_COUNTERS.map((name) => [name, null])) as CgroupUsage;

/** For tests: RUN in a mount namespace and a chroot, as root of this machine. Not for programs of strangers. */
export const chrootRun =
  (scratch: string): RunProgram =>
  async (request, signal) => {
    const dir = await mkdtemp(join(scratch, "run-"));
    for (const part of ["upper", "work", "root"]) await mkdir(join(dir, part), { mode: 0o755 });
    const { uid, gid, groups } = request.user;
    const cd = `cd "$1" && shift && exec "$@"`;
    const root = ["/usr/sbin/chroot", `--userspec=${uid}:${gid}`, `--groups=${groups.join(",")}`, join(dir, "root")];
    const child = spawn(
      "unshare",
      [
        "-m",
        "sh",
        "-ec",
        SCRIPT,
        "sh",
        ...request.env,
        ...root,
        "/bin/sh",
        "-c",
        cd,
        "sh",
        request.cwd,
        ...request.args,
      ],
      {
        signal,
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: process.env.PATH,
          DIR: dir,
          LOWER: request.rootfs.lower.join(":"),
        },
      },
    );
    child.stdout.on("data", (chunk: Buffer) => request.onOutput("stdout", chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => request.onOutput("stderr", chunk.toString()));
    const ending = await new Promise<Ending>((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, name) =>
        resolve(code === null ? { kind: "killed", reason: String(name) } : { kind: "exit", code }),
      );
    });
    return {
      ending,
      used: { ...UNCOUNTED, net_rx_bytes: null, net_tx_bytes: null, wall_us: 0, memory_limit_bytes: 0, disk_bytes: 0 },
      writable: { upper: join(dir, "upper"), id_base: 0 },
      release: () => rm(dir, { recursive: true, force: true }),
    };
  };
