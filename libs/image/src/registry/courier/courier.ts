import type { Registry, RegistryOptions } from "../registry.ts";
import { exchange } from "./exchange.ts";
import { CourierProcess, type CourierPrograms } from "./process.ts";

/**
 * Speaks with registries in the place of this process, which may be root: in a process that has nothing but the host's network
 * (native/cage). What it is asked goes down one of a few sockets; what comes back is read as frames, and as bytes that the store hashes.
 */
export class Courier {
  readonly #programs: CourierPrograms;
  #process: CourierProcess | null = null;

  constructor(programs: CourierPrograms) {
    this.#programs = programs;
  }

  registry(options: RegistryOptions): Registry {
    return {
      name: options.host,
      retry: options.retry,
      send: async (request) => {
        request.signal.throwIfAborted();
        if (this.#process === null || this.#process.isOver) this.#process = new CourierProcess(this.#programs);
        return exchange(await this.#process.take(), options, request);
      },
    };
  }
}
