import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { command } from "./command.ts";

/** A monitor that has ended is started again after a while. */
const AGAIN_MS = 1_000;

/**
 * Puts an instance's rules back when somebody takes them away: `systemctl reload nftables` begins with `flush ruleset`, and boxes without
 * rules would reach this host.
 */
export class RulesWatch {
  readonly #table: string;
  readonly #rules: string;
  readonly #say: (line: string) => void;
  #monitor: ChildProcess | null = null;
  #restoring: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(table: string, rules: string, say: (line: string) => void) {
    this.#table = table;
    this.#rules = rules;
    this.#say = say;
    this.#start();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#monitor?.kill("SIGKILL");
    await this.#restoring;
  }

  #start(): void {
    // Without us nobody would end it.
    const args = ["--pdeathsig=KILL", "nft", "monitor", "destroy", "tables"];
    const monitor = spawn("setpriv", args, {
      stdio: ["ignore", "pipe", "ignore"],
      env: { PATH: "/usr/sbin:/usr/bin" },
    });
    this.#monitor = monitor;
    createInterface({ input: monitor.stdout! }).on("line", (line) => {
      if (line.endsWith(` ${this.#table}`)) this.#look();
    });
    monitor.once("error", () => {}); // `close` follows
    monitor.once("close", async () => {
      await sleep(AGAIN_MS, undefined, { ref: false });
      if (this.#closed) return;
      this.#start();
      this.#look(); // what happened meanwhile nobody told us
    });
  }

  /** Our own replacing of the table is told as well: only what is missing is put back. */
  #look(): void {
    this.#restoring = this.#restoring
      .then(async () => {
        const tables = (await command("nft", ["list", "tables"])).split("\n");
        const wanted = [...this.#rules.matchAll(/^table (\w+ \S+) \{$/gm)].map((match) => `table ${match[1]}`);
        if (this.#closed || wanted.every((table) => tables.includes(table))) return;
        await command("nft", ["-f", "-"], this.#rules);
        this.#say("network of boxes: somebody took its rules away (nft flush ruleset?); they are back");
      })
      .catch((error: Error) => this.#say(error.message));
  }
}
