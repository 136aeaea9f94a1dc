export interface Liveness {
  stop(): void;
}

/**
 * Notices a consumer that takes nothing though jobs wait and it has room: some releases of BullMQ stopped for ever after an outage of
 * Redis and said nothing. Jobs must have waited at two checks in a row with none taken between; a Redis that does not answer proves
 * nothing.
 */
export function watchLiveness(options: {
  everyMs: number;
  /** Jobs that wait. @throws Error when Redis is away */
  waiting: () => Promise<number>;
  /** Jobs taken since the start. */
  taken: () => number;
  hasRoom: () => boolean;
  restart: (reason: string) => void;
}): Liveness {
  let before: { waiting: number; taken: number } | null = null;
  let checking = false;
  const check = async () => {
    const now = { waiting: await options.waiting(), taken: options.taken() };
    const stuck = before !== null && before.waiting > 0 && now.waiting > 0 && now.taken === before.taken;
    before = options.hasRoom() ? now : null;
    if (!stuck || before === null) return;
    before = null;
    options.restart(`${now.waiting} jobs wait and none was taken for ${options.everyMs} ms`);
  };
  const timer = setInterval(() => {
    if (checking) return;
    checking = true;
    check()
      .catch(() => {
        before = null;
      })
      .finally(() => {
        checking = false;
      });
  }, options.everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
