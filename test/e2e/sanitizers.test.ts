import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import type { Nursery } from "@mayfly/container";
import { type Ending, FRAME, type RootFs } from "@mayfly/contract";
import { openImageStore } from "@mayfly/image";
import { FrameChannel } from "@mayfly/queue";
import { FUNCTION_USER, MODULE_PATH, NURSERY_ENV, NURSERY_PATH, nurseryCommand, runnerCommand } from "@mayfly/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BASE_IMAGE } from "../../apps/worker/src/build/build.ts";
import { Roots } from "../../apps/worker/src/images/roots.ts";
import { load, noTraffic } from "../../apps/worker/src/invoke/exchange.ts";
import { testNursery } from "../../apps/worker/src/nursery/self-test.ts";
import { bundlePrograms } from "../../infra/src/prepare/bundles.ts";
import { BUILD } from "../../infra/src/root.ts";
import { TestBoxes } from "../../libs/container/src/testing/boxes.ts";
import { buildNative } from "../../libs/container/src/testing/native.ts";
import { copyBaseImages } from "./base-images.ts";

/** One habit for each path. */
const SOURCE = `
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
export default async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/exit") process.exit(7);
  if (pathname === "/kill") process.kill(process.pid, "SIGTERM");
  if (pathname === "/spin") for (;;) {}
  if (pathname === "/hog") for (const all = [];;) all.push(Buffer.alloc(1e6, 1));
  if (pathname === "/child") return new Response(execFileSync(process.execPath, ["-p", "6 * 7"]));
  if (pathname === "/thread") {
    const thread = new Worker("require('node:worker_threads').parentPort.postMessage(6 * 7)", { eval: true });
    return Response.json((await once(thread, "message"))[0]);
  }
  if (pathname === "/maps") return new Response(readFileSync("/proc/self/maps", "utf8"));
  return new Response(await request.text());
};`;

/** ASan comes first, before whoever asks for memory. What a fork has not freed when it ends is no leak. */
const ENV = [
  ...NURSERY_ENV.map((entry) => entry.replace(/^LD_PRELOAD=/, "$&/mayfly/libasan.so:")),
  "ASAN_OPTIONS=detect_leaks=0:suppressions=/mayfly/asan.suppressions",
];

let dir: string;
let boxes: TestBoxes;
let base: RootFs;
let root: RootFs;
/** What came out of nurseries and forks besides answers: nothing, unless a sanitizer had something to say. */
const said: string[] = [];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "mayfly-sanitized-"));
  await copyBaseImages(dir);
  // The addon that this process loads is not a part of it: libs/container/src/sanitizers.test.ts.
  const native = { ...buildNative(join(dir, "native"), true), addon: join(BUILD, "native", "native.node") };
  copyFileSync((await bundlePrograms(() => {})).nursery, join(native.nursery, NURSERY_PATH));
  boxes = await TestBoxes.open({ native });
  const store = await openImageStore(join(dir, "images"), { layerTree: join(BUILD, "native", "layer-tree") });
  base = await new Roots(store).of((await store.resolve(BASE_IMAGE))!);
  mkdirSync(join(dir, "layer", "app"), { recursive: true });
  writeFileSync(join(dir, "layer", MODULE_PATH), SOURCE);
  root = { ...base, lower: [join(dir, "layer"), ...base.lower] };
}, 300_000);
afterAll(async () => {
  await boxes?.close();
  rmSync(dir, { recursive: true, force: true });
  expect([said, boxes.diagnostics]).toEqual([[], []]);
});

function openNursery(id: string, args: readonly string[]): Promise<Nursery> {
  return boxes.host.openNursery({ id, lower: [boxes.native.nursery, ...base.lower], args, env: ENV });
}

async function fitNursery(id: string): Promise<Nursery> {
  const nursery = await openNursery(id, nurseryCommand());
  for (const stream of [nursery.stdout, nursery.stderr])
    stream.on("data", (bytes: Buffer) => said.push(bytes.toString()));
  return nursery;
}

interface Called {
  readonly answer: string;
  readonly ending: Ending;
  /** Host pid of who made its process; 0: it was refused. */
  readonly parent: number;
}

async function call(nursery: string, path: string, { cwd = "/app", before = async () => {} } = {}): Promise<Called> {
  const changes = { rootfs: root, nursery, cwd, user: FUNCTION_USER, env: ["A=1"], channel: true };
  const box = await boxes.host.start(boxes.spec(runnerCommand(), { ...changes, meter: "from_handover" }));
  const stderr = text(box.stderr);
  box.stdout.resume();
  const parent = box.pid === 0 ? 0 : parentOf(box.pid);
  const late = setTimeout(() => box.kill({ kind: "timeout" }), path === "/spin" ? 1_000 : 30_000);
  const channel = new FrameChannel(box.channel!);
  try {
    await before();
    const answer = box.pid === 0 ? "" : await exchange(channel, path);
    channel.close();
    const ending = await box.ended;
    said.push(...[await stderr].filter((lines) => lines !== ""));
    return { answer, ending, parent };
  } finally {
    clearTimeout(late);
    await box.remove();
    channel.destroy();
  }
}

async function exchange(channel: FrameChannel, path: string): Promise<string> {
  if (!(await load(channel, "fetch", MODULE_PATH, noTraffic()))) return "";
  const url = { method: "POST", target: path, headers: [], origin: "http://localhost" };
  await channel.sendJson(FRAME.HEAD, { ...url, invocation: "", deadline_ms: Date.now() + 30_000 });
  await channel.send(FRAME.DATA, Buffer.from("hello"));
  await channel.send(FRAME.END);
  let answer = "";
  for await (const frame of channel.frames) {
    if (frame.type === FRAME.END) break;
    if (frame.type === FRAME.DATA) answer += Buffer.from(frame.payload).toString();
  }
  return answer;
}

const parentOf = (pid: number): number =>
  Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);

const ENDED = { kind: "exit", code: 0 };

describe("the nursery under AddressSanitizer and UBSan", () => {
  let nursery: Nursery;
  beforeAll(async () => {
    nursery = await fitNursery("nursery");
  }, 60_000);

  it("is fit, and its forks answer with the same code in them", async () => {
    expect(nursery.pid).toBeGreaterThan(0);
    expect(await testNursery(boxes.host, "nursery", base)).toEqual([]);
    const { answer, ...rest } = await call("nursery", "/maps");
    expect(rest).toEqual({ ending: ENDED, parent: nursery.pid });
    expect([...new Set(answer.match(/\/mayfly\/\S+/g))].sort()).toEqual([
      "/mayfly/arena.so",
      "/mayfly/libasan.so",
      "/mayfly/nursery.node",
    ]);
    expect(answer).toContain("/memfd:nursery");
  });

  it("forks into boxes of every ending and has nothing to complain of", async () => {
    const several = await Promise.all(Array.from({ length: 8 }, () => call("nursery", "/echo")));
    expect(several).toEqual(several.map(() => ({ answer: "hello", ending: ENDED, parent: nursery.pid })));
    for (const [path, answer, ending] of [
      ["/child", "42\n", ENDED],
      ["/thread", "42", ENDED],
      ["/exit", "", { kind: "exit", code: 7 }],
      ["/kill", "", { kind: "signal", signal: 15 }],
      ["/spin", "", { kind: "timeout" }],
      ["/hog", "", { kind: "out_of_memory" }],
    ] as const)
      expect([path, await call("nursery", path)]).toMatchObject([path, { answer, ending, parent: nursery.pid }]);
    const refused = { kind: "refused", step: "enter working folder", errno: "ENOTDIR" };
    expect((await call("nursery", "/echo", { cwd: MODULE_PATH })).ending).toMatchObject(refused);
  });

  it("refuses to be one while a socket is open", async () => {
    const serve = `require("node:net").createServer().listen(0, () => require("/mayfly/nursery.node").serve())`;
    const unfit = await openNursery("unfit", [nurseryCommand()[0]!, "-e", serve]);
    const [complaint, ending] = await Promise.all([text(unfit.stderr), unfit.ended]);
    expect(ending).toEqual({ kind: "exit", code: 1 });
    expect(complaint).toMatch(/^Error: descriptor \d+: socket:/m);
    expect(complaint).not.toMatch(/Sanitizer|runtime error/);
  });

  it("is outlived by its forks", async () => {
    const before = async () => {
      nursery.stop();
      expect(await nursery.ended).toEqual({ kind: "signal", signal: 9 });
    };
    expect(await call("nursery", "/echo", { before })).toMatchObject({ answer: "hello", ending: ENDED });
  });
});
