import { parentPort, workerData } from "node:worker_threads";

/**
 * A thread that says when each request is due. Node's own timers are a millisecond coarse, which is as long as what they would measure;
 * a futex wakes within some 50 µs and costs no CPU while it waits.
 */
const { due_ms, began_ms } = workerData as { due_ms: readonly number[]; began_ms: number };
const never = new Int32Array(new SharedArrayBuffer(4));
for (const [i, due] of due_ms.entries()) {
  const left = began_ms + due - (performance.timeOrigin + performance.now());
  if (left > 0) Atomics.wait(never, 0, 0, left);
  parentPort!.postMessage(i);
}
