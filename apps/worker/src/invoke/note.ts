import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BoxId, InvokeJob } from "@mayfly/contract";
import { z } from "zod";

/**
 * A note lies beside the cgroup of every running box and says whose it is, so that a successor can bill what a killed worker left.
 * It is not fsynced: it must survive a process, not a power cut (which takes the cgroup with it).
 */
const Note = z.object({
  job: InvokeJob,
  /** Names the cgroup. */
  box: BoxId,
  host: z.string(),
  started_at_us: z.int(),
});
export type Note = z.infer<typeof Note>;

export class Notes {
  readonly #dir: string;

  constructor(dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    this.#dir = dir;
  }

  write(note: Note): void {
    writeFileSync(this.#path(note.job.invocation), JSON.stringify(note), { mode: 0o600 });
  }

  remove(id: string): void {
    rmSync(this.#path(id), { force: true });
  }

  /** Notes of boxes that a dead predecessor left. A note that cannot be read (cut by the kill) names no box and is removed. */
  readAll(): Note[] {
    const notes: Note[] = [];
    for (const file of readdirSync(this.#dir)) {
      const path = join(this.#dir, file);
      const note = parseNote(readFileSync(path, "utf8"));
      if (note) notes.push(note);
      else rmSync(path, { force: true });
    }
    return notes;
  }

  #path(id: string): string {
    return join(this.#dir, `${id}.json`);
  }
}

function parseNote(text: string): Note | null {
  try {
    return Note.parse(JSON.parse(text));
  } catch {
    return null;
  }
}
