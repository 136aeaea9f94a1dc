import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ROOT } from "../root.ts";

/** Seen: 2 to 3 s. On a machine that is busy otherwise several times that. */
const BOOT_TIMEOUT_MS = 60_000;
const CONSOLE_TAIL_CHARS = 4000;

export interface SecondKernelRun {
  readonly command: readonly [string, ...string[]];
  /** Added to what the second kernel's init has (PATH, HOME and TMPDIR on its own tmpfs). Nothing of the host's environment is passed. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** From the start of the command, as the host's clock goes. */
  readonly timeoutMs: number;
  /** Memory of the second kernel, as its `mem=` takes it; the host gives only what is touched. */
  readonly memory?: string;
  /** Stops everything at once. */
  readonly signal?: AbortSignal;
}

export interface SecondKernelResult {
  /** Exit status; 128 + signal for one that was killed, as sh has it. */
  readonly status: number;
  /** stdout and stderr, as they came. */
  readonly output: string;
  readonly bootMs: number;
  readonly commandMs: number;
}

/**
 * Boots Debian's user-mode-linux as an ordinary process, with the host's files as its root and cgroup v2 as its only cgroups, runs the
 * command there as root and halts. It has one CPU, its own /run, /mnt, /dev/shm and $TMPDIR (tmpfs), `lo` up, overlayfs, user namespaces.
 * What the command writes anywhere else is written to the host's disk. Everything runs there 10 to 50 times slower per system call and page
 * fault, so time limits need to be wide. Leaves no process and no file, also after Ctrl-C.
 * @throws Error with the end of its console when it does not boot; with the end of the output when the command is late
 */
export async function runInSecondKernel(run: SecondKernelRun): Promise<SecondKernelResult> {
  const dir = mkdtempSync(join(tmpdir(), "mayfly-uml-"));
  const file = (name: string): string => join(dir, name);
  writeFileSync(file("run"), script(run));
  // A copy: a blank in the path of the clone would end the kernel's parameter.
  copyFileSync(join(ROOT, "infra", "uml", "init.sh"), file("init.sh"));
  const began = performance.now();
  const kernel = boot(dir, run.memory ?? "3G");
  const stop = stopWith(kernel.kill, dir, run.signal);
  try {
    const booted = await reached(() => existsSync(file("booted")), kernel, BOOT_TIMEOUT_MS);
    if (!booted) throw notBooted(kernel.hasEnded(), kernel.console());
    const bootMs = performance.now() - began;
    const done = await reached(() => existsSync(file("status")), kernel, run.timeoutMs);
    run.signal?.throwIfAborted();
    const output = existsSync(file("output")) ? readFileSync(file("output"), "utf8") : "";
    if (!done) {
      const what = kernel.hasEnded() ? "the second kernel died under it" : `it was not done in ${run.timeoutMs} ms`;
      throw new Error(
        `run ${run.command.join(" ")} in the second kernel: ${what}.\nIts output ended:\n${tail(output)}\nThe console ended:\n${tail(kernel.console())}`,
      );
    }
    const status = Number(readFileSync(file("status"), "utf8"));
    return { status, output, bootMs, commandMs: performance.now() - began - bootMs };
  } finally {
    stop.off();
    kernel.kill();
    await kernel.ended;
    rmSync(dir, { recursive: true, force: true });
  }
}

interface Kernel {
  kill(): void;
  hasEnded(): boolean;
  readonly ended: Promise<void>;
  console(): string;
}

/**
 * In a pid namespace of its own, whose end ends every process of it: user-mode-linux is several processes and does not end them all when it is
 * killed. sh is its PID 1, because user-mode-linux kills itself at its end and a PID 1 cannot. When we die, setpriv's signal takes the rest along.
 */
function boot(dir: string, memory: string): Kernel {
  const linux = [
    "linux.uml",
    `mem=${memory}`,
    "rootfstype=hostfs",
    "rootflags=/",
    "rw",
    `init=${join(dir, "init.sh")}`,
    `mayfly_dir=${dir}`,
    `uml_dir=${dir}/`,
    "con=null",
    "con0=fd:0,fd:1",
    "quiet",
  ];
  const inNamespace = ["unshare", "--pid", "--fork", "--kill-child=KILL", "--"];
  const shell = ["sh", "-c", 'ulimit -c 0; "$@"; exit $?', "sh"];
  const child = spawn("setpriv", ["--pdeathsig", "KILL", ...inNamespace, ...shell, ...linux], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, HOME: dir },
  });
  let text = "";
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString("latin1")).slice(-4 * CONSOLE_TAIL_CHARS);
    });
  }
  const end = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      text += `${error}\n`;
      resolve();
    });
    child.once("close", () => resolve());
  }).then(() => {
    ended = true;
  });
  return { kill: () => void child.kill("SIGKILL"), hasEnded: () => ended, ended: end, console: () => text };
}

/** False when the time is over or the kernel ended without getting there. */
async function reached(isSo: () => boolean, kernel: Kernel, boundMs: number): Promise<boolean> {
  const end = performance.now() + boundMs;
  while (!isSo()) {
    // Once more after its end: it may have got there between the two looks.
    if (kernel.hasEnded() || performance.now() >= end) return isSo();
    await sleep(50);
  }
  return true;
}

/** Ctrl-C and the caller's signal: kill, take the files away, and let the signal do what it does without us. */
function stopWith(kill: () => void, dir: string, signal: AbortSignal | undefined): { off(): void } {
  const onSignal = (name: NodeJS.Signals): void => {
    kill();
    rmSync(dir, { recursive: true, force: true });
    off();
    process.kill(process.pid, name);
  };
  const off = (): void => {
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
    signal?.removeEventListener("abort", kill);
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  signal?.addEventListener("abort", kill);
  if (signal?.aborted) kill();
  return { off };
}

const quote = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

function script(run: SecondKernelRun): string {
  const env = Object.entries(run.env ?? {}).map(([name, value]) => `export ${name}=${quote(value)}\n`);
  return `${env.join("")}cd ${quote(run.cwd)} || exit 126\n${run.command.map(quote).join(" ")}\n`;
}

const tail = (text: string): string => text.slice(-CONSOLE_TAIL_CHARS);

function notBooted(died: boolean, text: string): Error {
  const missing = /ENOENT|linux\.uml: not found|insmod.*not found/.test(text);
  const remedy = missing
    ? "apt-get install user-mode-linux kmod"
    : "it needs ptrace, /dev/shm mounted without noexec, and root";
  const how = died ? "it ended before its command started" : `it did not boot in ${BOOT_TIMEOUT_MS} ms`;
  return new Error(`boot the second kernel (linux.uml): ${how}; ${remedy}.\nIts console ended:\n${tail(text)}`);
}
