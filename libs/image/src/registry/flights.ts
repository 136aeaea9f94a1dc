import type { BlobProgress, OnProgress } from "./progress.ts";

interface Flight {
  readonly result: Promise<void>;
  readonly abort: AbortController;
  readonly passengers: Set<OnProgress>;
}

/** Work that several callers want at once is done once: all of them see it move, and it is given up when the last of them has gone. */
export class Flights {
  readonly #flights = new Map<string, Flight>();

  /** @throws what the work threw, or the signal's reason */
  async join(
    key: string,
    { onProgress, signal }: { readonly onProgress: OnProgress; readonly signal: AbortSignal },
    work: (onProgress: OnProgress, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    // A function of its own: one caller may be aboard twice.
    const passenger: OnProgress = (progress) => onProgress(progress);
    flight.passengers.add(passenger);
    const leave = Promise.withResolvers<never>();
    const gone = () => leave.reject(signal.reason);
    signal.addEventListener("abort", gone, { once: true });
    try {
      await Promise.race([flight.result, leave.promise]);
    } finally {
      signal.removeEventListener("abort", gone);
      flight.passengers.delete(passenger);
      if (flight.passengers.size === 0) this.#end(key, flight);
    }
  }

  #begin(key: string, work: (onProgress: OnProgress, signal: AbortSignal) => Promise<void>): Flight {
    const abort = new AbortController();
    const passengers = new Set<OnProgress>();
    const tell = (progress: BlobProgress) => {
      for (const passenger of passengers) passenger(progress);
    };
    const flight: Flight = { abort, passengers, result: work(tell, abort.signal) };
    // Whoever is aboard sees how it ends; one that was given up has nobody to tell.
    flight.result.then(
      () => this.#end(key, flight),
      () => this.#end(key, flight),
    );
    this.#flights.set(key, flight);
    return flight;
  }

  #end(key: string, flight: Flight): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    flight.abort.abort(new Error("nobody waits for it any more"));
  }
}
