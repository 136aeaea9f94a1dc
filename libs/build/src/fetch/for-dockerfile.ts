import type { Fetch } from "../dockerfile/execute/ports.ts";
import { DockerfileError } from "../dockerfile/source/failure.ts";
import { BuildStopped } from "../fault.ts";
import { type Fetching, fetchRemote } from "./fetch.ts";

/** How ADD fetches: what goes wrong there is the instruction's, and told with its line. */
export const dockerfileFetch =
  (fetching: Omit<Fetching, "signal" | "onLog">): Fetch =>
  async (source, { signal, onOutput }, isKnown) => {
    try {
      return await fetchRemote(source, { ...fetching, signal, onLog: onOutput }, isKnown);
    } catch (error) {
      if (!(error instanceof BuildStopped) || error.fault.code === "internal") throw error;
      const { message, hint } = error.fault;
      throw new DockerfileError(hint === undefined ? message : `${message}; ${hint}`);
    }
  };
