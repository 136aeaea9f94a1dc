/** When the requests of an open loop are due, in ms from its start. Fixed before it begins: a slow answer delays nobody's arrival. */

export const evenly = (perSecond: number, seconds: number): number[] =>
  Array.from({ length: Math.floor(perSecond * seconds) }, (_, i) => (i * 1000) / perSecond);

/** Independent arrivals (exponential gaps). The same seed gives the same ones, so that all are asked at the same moments. */
export function poisson(perSecond: number, seconds: number, seed: number): number[] {
  const random = generator(seed);
  const due: number[] = [];
  for (let at = 0; ; ) {
    at += (-Math.log(1 - random()) * 1000) / perSecond;
    if (at >= seconds * 1000) return due;
    due.push(at);
  }
}

/** mulberry32 (T. Ettinger, public domain): 32 bits of state are plenty here, and Math.random takes no seed. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
