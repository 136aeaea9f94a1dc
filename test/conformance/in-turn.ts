/** What `act` makes of values, a few at once, in their order. The first failure ends it. */
export async function* inTurn<T, R>(
  values: readonly T[],
  atOnce: number,
  act: (value: T) => Promise<R>,
): AsyncGenerator<R> {
  const begun: Promise<R>[] = [];
  for (const [at] of values.entries()) {
    while (begun.length < Math.min(at + atOnce, values.length)) {
      const next = act(values[begun.length]!);
      next.catch(() => {}); // Whoever waits for it hears of it.
      begun.push(next);
    }
    yield await begun[at]!;
  }
}
