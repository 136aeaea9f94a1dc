import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { watchLiveness } from "./liveness.ts";

/** Runs the watch for a few checks over a state that the test changes; counts restarts. */
async function watched(state: { waiting: number | Error; taken: number; room: boolean }, each: () => void = () => {}) {
  let restarts = 0;
  const watch = watchLiveness({
    everyMs: 10,
    waiting: async () => {
      each();
      if (state.waiting instanceof Error) throw state.waiting;
      return state.waiting;
    },
    taken: () => state.taken,
    hasRoom: () => state.room,
    restart: () => {
      restarts += 1;
      state.waiting = 0;
    },
  });
  await sleep(150);
  watch.stop();
  return restarts;
}

describe("a consumer", () => {
  it("that takes nothing though jobs wait and it has room is started anew", async () => {
    expect(await watched({ waiting: 3, taken: 7, room: true })).toBe(1);
  });

  it("that has nothing to take is left alone", async () => {
    expect(await watched({ waiting: 0, taken: 7, room: true })).toBe(0);
  });

  it("that is busy is left alone", async () => {
    expect(await watched({ waiting: 3, taken: 7, room: false })).toBe(0);
  });

  it("that takes, though slower than jobs come, is left alone", async () => {
    const state = { waiting: 3, taken: 0, room: true };
    const takeOne = () => {
      state.taken += 1;
    };
    expect(await watched(state, takeOne)).toBe(0);
  });

  it("whose Redis does not answer is left alone", async () => {
    expect(await watched({ waiting: new Error("away"), taken: 0, room: true })).toBe(0);
  });
});
