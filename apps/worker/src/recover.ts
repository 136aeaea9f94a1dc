import type { Orphan } from "@mayfly/container";
import type { WorkerDeps } from "./deps.ts";
import { nothingCounted } from "./invoke/make-box.ts";
import type { Note } from "./invoke/note.ts";
import { makeRecord } from "./invoke/record.ts";

/**
 * Before a worker takes work it settles what a killed predecessor left: every box still in a cgroup of ours is killed, its final
 * counters become its bill, the cgroup goes. Entering is idempotent, so a record that was written just before the kill stays the one.
 */
export async function recover(deps: WorkerDeps): Promise<{ boxes: number; bills: number }> {
  const orphans = new Map((await deps.boxes.orphans()).map((orphan) => [orphan.id, orphan]));
  const notes = deps.notes.readAll();
  for (const note of notes) {
    const orphan = orphans.get(note.box);
    await settle(note, orphan, deps);
    if (orphan) orphans.delete(orphan.id);
  }
  for (const orphan of orphans.values()) {
    await orphan.kill();
    deps.kept.lost(orphan.id, await orphan.remove());
  }
  return { boxes: orphans.size + notes.length, bills: notes.length };
}

async function settle(note: Note, orphan: Orphan | undefined, deps: WorkerDeps): Promise<void> {
  await orphan?.kill();
  const cgroup = orphan ? await orphan.remove() : nothingCounted();
  const endedAtUs = deps.clock.epochUs();
  const record = makeRecord({
    job: note.job,
    host: note.host,
    cgroupVersion: deps.boxes.cgroup,
    startedAtUs: note.started_at_us,
    endedAtUs,
    start: null,
    phases: {
      queue: Math.max(0, note.started_at_us - note.job.received_at_us),
      box: 0,
      init: 0,
      // When the box really stopped nobody saw; its deadline bounds it.
      handler: Math.max(0, Math.min(endedAtUs, note.job.deadline_ms * 1000) - note.started_at_us),
      teardown: 0,
    },
    measured: { cgroup, network: null, initCpuUs: null, requestBytes: 0, responseBytes: 0, logBytes: 0 },
    verdict: {
      status: "platform_error",
      httpStatus: 502,
      fault: "worker_lost",
      message: "the worker was lost while it served this call; its successor read the counters",
      stack: undefined,
    },
    table: deps.priceTable,
  });
  await deps.spool.put({ kind: "invocation", record, log: [], log_dropped_bytes: 0 });
  deps.notes.remove(note.job.invocation);
}
