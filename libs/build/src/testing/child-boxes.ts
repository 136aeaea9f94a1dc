import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import {
  CGROUP_COUNTERS,
  type CgroupUsage,
  decodeJson,
  type Ending,
  encodeJson,
  FRAME,
  type Frame,
  FrameDecoder,
} from "@mayfly/contract";
import type { ImageStore } from "@mayfly/image";
import { MODULE_PATH, RUNNER_PATH } from "@mayfly/runtime";
import { build } from "esbuild";
import { BUILDER_PATH } from "../build-code.ts";
import { FETCHER_PATH } from "../fetch/fetch.ts";
import type { BoxRequest, OpenBox } from "../session.ts";

const LIBS = join(import.meta.dirname, "../../..");

/**
 * Boxes that are ordinary child processes of the same programs, bundled as the base image has them. What a box adds (its own root,
 * limits, counters) is missing: the module is loaded from the unpacked layer, and usage is made up. Real boxes: test/e2e.
 */
export class ChildBoxes {
  readonly dir = mkdtempSync(join(tmpdir(), "mayfly-build-"));
  readonly requests: BoxRequest[] = [];
  readonly #children = new Set<ChildProcess>();
  readonly #store: () => ImageStore;
  /** Another program in the place of the one a request names, by its path in the box. */
  readonly instead = new Map<string, string>();
  /** How the kernel would tell the next endings. */
  endings: Ending[] = [];
  timeout_ms: number | null = null;

  constructor(store: () => ImageStore) {
    this.#store = store;
  }

  /** As infra makes them for the images. */
  async bundlePrograms(): Promise<void> {
    const options = { bundle: true, platform: "node", format: "esm", target: "node24", logLevel: "error" } as const;
    const js = 'import { createRequire as __r } from "node:module"; const require = __r(import.meta.url);';
    for (const [path, source] of [
      [RUNNER_PATH, "runtime/src/runner.ts"],
      [BUILDER_PATH, "build/src/box/builder.ts"],
      [FETCHER_PATH, "build/src/box/fetch/fetcher.ts"],
    ] as const) {
      const outfile = join(this.dir, path);
      await build({ ...options, banner: { js }, entryPoints: [join(LIBS, source)], outfile });
    }
  }

  readonly open: OpenBox = async (request) => {
    this.requests.push(request);
    const work = join(this.dir, `work-${this.requests.length}`);
    mkdirSync(work);
    const began = performance.now();
    const args = request.args.slice(1).map((arg) => (arg.startsWith("/mayfly/") ? this.#program(arg) : arg));
    const env = Object.fromEntries(request.env.map((pair) => pair.split(/=(.*)/s, 2)));
    const esbuild = { MAYFLY_WORK: work, ESBUILD_BINARY_PATH: esbuildBinary() };
    const child = spawn(process.execPath, args, {
      stdio: ["ignore", "pipe", "pipe", "pipe"],
      cwd: work,
      env: { TMPDIR: work, ...env, ...(request.args.includes(RUNNER_PATH) ? {} : esbuild) },
    });
    this.#children.add(child);
    child.stdout!.on("data", (chunk: Buffer) => request.onLog("stdout", chunk.toString()));
    child.stderr!.on("data", (chunk: Buffer) => request.onLog("stderr", chunk.toString()));
    let killed: Ending | null = null;
    const kill = (why: Ending) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      killed ??= why;
      child.kill("SIGKILL");
    };
    const deadline = setTimeout(() => kill({ kind: "timeout" }), this.timeout_ms ?? request.timeout_ms);
    // Not "close": that also waits for descriptor 3, which nobody may be reading any more. A box's end waits for no reader either.
    const closed = [child.stdout!, child.stderr!].map((stream) => once(stream, "close"));
    const ended = Promise.all([once(child, "exit"), ...closed]).then(([[code]]) => {
      const ending: Ending = killed ?? { kind: "exit", code: code ?? -1 };
      setTimeout(() => (child.stdio[3] as Duplex).destroy(), 1_000).unref();
      clearTimeout(deadline);
      this.#children.delete(child);
      rmSync(work, { recursive: true, force: true });
      return {
        ending: this.endings.shift() ?? ending,
        usage: { ...USAGE, net_rx_bytes: 0, net_tx_bytes: 0 },
        wall_us: Math.round((performance.now() - began) * 1000),
      };
    });
    const wire = child.stdio[3] as Duplex;
    return {
      send: async (bytes) => send(wire, await this.#inThisRoot(bytes, request)),
      frames: framesOf(wire),
      stop: (reason) => kill({ kind: "killed", reason }),
      ended,
    };
  };

  /** Processes of boxes that live. */
  get living(): number {
    return this.#children.size;
  }

  close(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }

  #program(path: string): string {
    return this.instead.get(path) ?? join(this.dir, path);
  }

  /** There is no root of its own here: the module lies where the layer is unpacked. */
  async #inThisRoot(bytes: Uint8Array, request: BoxRequest): Promise<Uint8Array> {
    const [frame] = new FrameDecoder().push(bytes);
    if (frame?.type !== FRAME.INIT || !request.args.includes(RUNNER_PATH)) return bytes;
    const { lower } = request.rootfs ?? (await this.#store().rootfs(request.image));
    return encodeJson(FRAME.INIT, { ...(decodeJson(frame) as object), module: join(lower[0]!, MODULE_PATH) });
  }
}

/** What the kernel would have counted. */
export const USAGE: CgroupUsage = {
  ...(Object.fromEntries(CGROUP_COUNTERS.map((name) => [name, null])) as CgroupUsage),
  cpu_us: 1_000,
  memory_peak_bytes: 2_000,
};

function send(wire: Duplex, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => wire.write(bytes, (error) => (error ? reject(error) : resolve())));
}

async function* framesOf(wire: Duplex): AsyncGenerator<Frame> {
  const decoder = new FrameDecoder();
  try {
    for await (const chunk of wire as AsyncIterable<Buffer>) yield* decoder.push(chunk);
  } catch {
    // It broke off, or talked nonsense: there are no more frames.
  }
}

/** The binary that the esbuild package runs here. */
function esbuildBinary(): string {
  const require = createRequire(createRequire(import.meta.url).resolve("esbuild"));
  return require.resolve(`@esbuild/linux-${process.arch}/bin/esbuild`);
}
