import { type BoxNetwork, hasLeftNetwork, type NetworkOptions, openBoxNetwork, sweepBoxNetwork } from "./network.ts";

/**
 * Opens the network when it is first asked for: a host whose functions have none gets no bridge, no rules, no tracking of connections.
 * One that could not be opened is tried again by who asks next.
 */
export class NetworkDoor {
  readonly #options: NetworkOptions;
  /** Why it could not be opened, as it was told last: told once. */
  #said: string | null = null;
  #opening: Promise<BoxNetwork> | null = null;

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** @throws NetworkError with the remedy */
  open(): Promise<BoxNetwork> {
    this.#opening ??= openBoxNetwork(this.#options).catch((error: Error) => {
      this.#opening = null;
      if (error.message !== this.#said) this.#options.onDiagnostic(error.message);
      this.#said = error.message;
      throw error;
    });
    return this.#opening;
  }

  /** Takes away what a dead predecessor left, when this instance has not opened its own. */
  async sweep(): Promise<void> {
    if (this.#opening === null && hasLeftNetwork(this.#options.instance)) await sweepBoxNetwork(this.#options.instance);
  }

  async close(): Promise<void> {
    const network = await this.#opening?.catch(() => null);
    // The successor takes away what could not be.
    await network?.close().catch((error: Error) => this.#options.onDiagnostic(error.message));
  }
}
