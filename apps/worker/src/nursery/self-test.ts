import type { BoxHost, BoxSpec } from "@mayfly/container";
import { decodeJson, encodeJson, FRAME, type RootFs, SelfTest } from "@mayfly/contract";
import { FrameChannel } from "@mayfly/queue";
import { FUNCTION_USER, MODULE_PATH, runnerCommand } from "@mayfly/runtime";

/** How many forks are compared. */
const FORKS = 8;
const MiB = 1024 * 1024;
const ENV = ["MAYFLY_SELF_TEST=1", "PATH=/usr/local/bin"];

/** Forks that are compared with each other: an empty answer says that the nursery is fit, else what is wrong. */
export async function testNursery(boxes: BoxHost, nursery: string, root: RootFs): Promise<string[]> {
  const forks: SelfTest[] = [];
  for (let i = 0; i < FORKS; i += 1) forks.push(await oneFork(boxes, `${nursery}-test-${i}`, nursery, root));
  return faultsOf(forks);
}

/** Pure. */
export function faultsOf(forks: readonly SelfTest[]): string[] {
  const faults = new Set<string>();
  for (const source of Object.keys(forks[0]?.drawn ?? {})) {
    const drawn = new Set(forks.map((fork) => fork.drawn[source]));
    if (drawn.size !== forks.length) faults.add(`${source} gives several forks the same`);
  }
  for (const fork of forks) {
    if (fork.pid <= 1 || fork.pid > 1000) faults.add(`process.pid is ${fork.pid}, not that of the box`);
    if (fork.uptime_s > 60) faults.add(`process.uptime() is ${fork.uptime_s} s`);
    if (fork.cwd !== "/tmp") faults.add(`process.cwd() is ${fork.cwd}`);
    if (fork.timers > 0) faults.add(`${fork.timers} timers are running`);
    if (fork.listeners.length > 0) faults.add(`process has listeners for ${fork.listeners.join(", ")}`);
    const foreign = fork.env.filter((name) => !ENV.some((entry) => entry.startsWith(`${name}=`)));
    if (foreign.length > 0) faults.add(`the environment has ${foreign.join(", ")} of the nursery`);
  }
  return [...faults];
}

async function oneFork(boxes: BoxHost, id: string, nursery: string, rootfs: RootFs): Promise<SelfTest> {
  const box = await boxes.start(spec(id, nursery, rootfs));
  box.stdout.resume();
  box.stderr.resume();
  const late = setTimeout(() => box.kill({ kind: "timeout" }), 30_000);
  const channel = new FrameChannel(box.channel!);
  try {
    await channel.sendRaw(encodeJson(FRAME.INIT, { module: MODULE_PATH, contract: "fetch", mode: "self_test" })).catch(
      () => {}, // Its ending says why.
    );
    for await (const frame of channel.frames) if (frame.type === FRAME.RECORD) return SelfTest.parse(decodeJson(frame));
    throw new Error(`a fork gave no answer: ${JSON.stringify(await box.ended)}`);
  } finally {
    clearTimeout(late);
    box.kill({ kind: "killed", reason: "its test is over" });
    await box.remove();
    channel.destroy();
  }
}

const spec = (id: string, nursery: string, rootfs: RootFs): BoxSpec => ({
  id,
  rootfs,
  mounts: [],
  args: runnerCommand(),
  env: ENV,
  cwd: "/tmp",
  user: FUNCTION_USER,
  hostname: "nursery-test",
  limits: {
    memory_bytes: 128 * MiB,
    cpu_millis: 1000,
    cpu_weight: 100,
    pids: 32,
    tmp_bytes: 16 * MiB,
    open_files: 1024,
  },
  profile: "function",
  nursery,
  meter: "from_exec",
  network: "none",
  channel: true,
  stdin: false,
  terminal: false,
  writable: null,
  serve: null,
  idBase: null,
});
