import { ImageError } from "../../error.ts";
import { evens, type RangeDecoder } from "./range-decoder.ts";
import type { Window } from "./window.ts";

/** States above are after a match; literals bring one down again. */
const LITERAL_STATES = 7;
const STATES = 12;
const POSITIONS = 16;

/** Lengths from 2 on, in three ranges. */
class Lengths {
  readonly #choice = evens(2);
  readonly #low = evens(POSITIONS << 3);
  readonly #mid = evens(POSITIONS << 3);
  readonly #high = evens(256);

  read(range: RangeDecoder, position: number): number {
    if (range.bit(this.#choice, 0) === 0) return 2 + range.tree(this.#low, 3, position << 3);
    if (range.bit(this.#choice, 1) === 0) return 10 + range.tree(this.#mid, 3, position << 3);
    return 18 + range.tree(this.#high, 8);
  }
}

/** LZMA's model: what is likely to come next. One of it lasts until the state is reset. (As in the LZMA specification of I. Pavlov.) */
export class Lzma {
  readonly #literalContext: number;
  readonly #literalPosition: number;
  readonly #positionMask: number;
  readonly #literals: Uint16Array;
  readonly #isMatch = evens(STATES * POSITIONS);
  readonly #isRep = evens(STATES);
  readonly #isRep0Far = evens(STATES);
  readonly #isRep1Far = evens(STATES);
  readonly #isRep2Far = evens(STATES);
  readonly #isRep0Long = evens(STATES * POSITIONS);
  readonly #slots = evens(4 << 6);
  readonly #special = evens(128);
  readonly #align = evens(16);
  readonly #lengths = new Lengths();
  readonly #repLengths = new Lengths();
  #state = 0;
  #reps: [number, number, number, number] = [0, 0, 0, 0];

  /** @param properties a byte: (pb · 5 + lp) · 9 + lc @throws ImageError `corrupt` */
  constructor(properties: number) {
    const [context, rest] = [properties % 9, Math.floor(properties / 9)];
    this.#literalContext = context;
    this.#literalPosition = rest % 5;
    if (properties > 224 || context + this.#literalPosition > 4)
      throw new ImageError("corrupt", `${properties} are no properties of LZMA2`);
    this.#positionMask = (1 << Math.floor(rest / 5)) - 1;
    this.#literals = evens(0x300 << (context + this.#literalPosition));
  }

  /** Puts so many bytes into the window. @throws ImageError `corrupt` */
  read(range: RangeDecoder, window: Window, length: number): void {
    const end = window.filled + length;
    while (window.filled < end) {
      const position = window.filled & this.#positionMask;
      const at = this.#state * POSITIONS + position;
      if (range.bit(this.#isMatch, at) === 0) {
        this.#literal(range, window);
        continue;
      }
      const matched =
        range.bit(this.#isRep, this.#state) === 0 ? this.#match(range, position) : this.#rep(range, position);
      if (window.filled + matched > end) throw new ImageError("corrupt", "a match of LZMA leads out of its chunk");
      window.repeat(this.#reps[0], matched);
    }
    if (!range.over) throw new ImageError("corrupt", "an LZMA chunk says more than it unpacks to");
  }

  #literal(range: RangeDecoder, window: Window): void {
    const low = window.filled & ((1 << this.#literalPosition) - 1);
    const context = (low << this.#literalContext) + (window.back(0) >> (8 - this.#literalContext));
    const offset = 0x300 * context;
    let symbol = 1;
    if (this.#state >= LITERAL_STATES) {
      // After a match the byte is likely another than the one that stood behind what was matched.
      let other = window.back(this.#reps[0]);
      while (symbol < 0x100) {
        const expected = (other >> 7) & 1;
        other <<= 1;
        const bit = range.bit(this.#literals, offset + ((1 + expected) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== expected) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | range.bit(this.#literals, offset + symbol);
    window.put(symbol & 0xff);
    this.#state = this.#state < 4 ? 0 : this.#state < 10 ? this.#state - 3 : this.#state - 6;
  }

  #match(range: RangeDecoder, position: number): number {
    const [first, second, third] = this.#reps;
    const length = this.#lengths.read(range, position);
    this.#reps = [this.#distance(range, length), first, second, third];
    this.#state = this.#state < LITERAL_STATES ? 7 : 10;
    return length;
  }

  #rep(range: RangeDecoder, position: number): number {
    const state = this.#state;
    const [first, second, third, fourth] = this.#reps;
    if (range.bit(this.#isRep0Far, state) === 0) {
      if (range.bit(this.#isRep0Long, state * POSITIONS + position) === 0) {
        this.#state = state < LITERAL_STATES ? 9 : 11;
        return 1;
      }
    } else if (range.bit(this.#isRep1Far, state) === 0) this.#reps = [second, first, third, fourth];
    else if (range.bit(this.#isRep2Far, state) === 0) this.#reps = [third, first, second, fourth];
    else this.#reps = [fourth, first, second, third];
    this.#state = state < LITERAL_STATES ? 8 : 11;
    return this.#repLengths.read(range, position);
  }

  #distance(range: RangeDecoder, length: number): number {
    const slot = range.tree(this.#slots, 6, Math.min(length - 2, 3) << 6);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** bits;
    if (slot < 14) return base + range.reverseTree(this.#special, bits, base - slot);
    return base + range.direct(bits - 4) * 16 + range.reverseTree(this.#align, 4);
  }
}
