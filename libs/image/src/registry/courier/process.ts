import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { getSystemErrorName } from "node:util";
import { ImageError } from "../../error.ts";
import { Unavailable } from "../failure.ts";
import type { Taken } from "./exchange.ts";
import { Lane } from "./lane.ts";

const LANES = 8;
const FIRST_LANE = 3;
/** A courier that has had nothing to do for so long is sent away. */
const IDLE_MS = 2_000;
/** Little is kept at a time: a small young generation is collected often, by us as well (bytes/collect.ts), and holds little. */
const NODE = [
  ...["--disable-warning=ExperimentalWarning", "--expose-gc"],
  ...["--max-semi-space-size=1", "--max-old-space-size=128"],
];

/** Ids of users that exist nowhere else (boxes have theirs from 0x40000000 up), a fresh one for each courier: none can touch another. */
const FIRST_USER = 0x7e000000;
const USERS = 2 ** 24;
let started = process.pid * 64;

export interface CourierPrograms {
  /** courier-cage (native/cage). */
  readonly cage: string;
  /** courier/main.ts with all it imports, as one file of JavaScript: nothing else of ours is to be seen from in there. */
  readonly program: string;
  /** A file of CAs' certificates that registries may be known by, besides those that Node has. */
  readonly certificates?: string | null;
}

interface Place {
  readonly lane: Lane;
  readonly socket: Socket;
}

/** One courier, from its start until it is sent away, ends by itself, or all its lanes are broken. */
export class CourierProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<Error>;
  readonly #free: Place[];
  readonly #waiting: ((place: Place) => void)[] = [];
  #whole = LANES;
  #idle: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor({ cage, program, certificates }: CourierPrograms) {
    started += 1;
    const shown = [program, ...(certificates ? [certificates] : [])];
    const args = [String(FIRST_USER + (started % USERS)), String(FIRST_LANE + LANES), ...shown, "--"];
    const node = [process.execPath, ...NODE, program, String(LANES), ...shown.slice(1)];
    const stdio = ["ignore", "ignore", "pipe", ...Array<"pipe">(LANES).fill("pipe")] as const;
    this.#child = spawn(cage, [...args, ...node], { stdio: [...stdio], env: {} });
    this.#ended = this.#end();
    this.#free = this.#child.stdio.slice(FIRST_LANE).map((stream) => {
      const socket = stream as Socket;
      return { socket, lane: new Lane(socket) };
    });
    this.#rest();
  }

  /** It takes no errand any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** A lane that nobody uses, as soon as there is one. */
  async take(): Promise<Taken> {
    clearTimeout(this.#idle);
    this.#child.ref();
    const place = this.#free.pop() ?? (await new Promise<Place>((resolve) => this.#waiting.push(resolve)));
    place.socket.ref();
    let isMine = true;
    const give = (how: () => void) => {
      if (isMine) how();
      isMine = false;
    };
    return {
      lane: place.lane,
      free: () => give(() => this.#give(place)),
      broken: () => give(() => this.#break(place)),
      lost: () => {
        this.#sendAway();
        return this.#ended;
      },
    };
  }

  #give(place: Place): void {
    const next = this.#waiting.shift();
    if (next) return void next(place);
    this.#free.push(place);
    this.#rest();
  }

  /** The last one takes all that wait along: they find it closed, and come back for another courier. */
  #break(place: Place): void {
    place.lane.close();
    this.#whole -= 1;
    if (this.#whole > 0) return;
    this.#sendAway();
    for (const next of this.#waiting.splice(0)) next(place);
  }

  #sendAway(): void {
    this.#isOver = true;
    clearTimeout(this.#idle);
    this.#child.kill("SIGKILL");
  }

  #rest(): void {
    if (this.#free.length < this.#whole) return;
    for (const { socket } of this.#free) socket.unref();
    this.#child.unref();
    (this.#child.stderr as Socket).unref();
    this.#idle = setTimeout(() => this.#sendAway(), IDLE_MS).unref();
  }

  async #end(): Promise<Error> {
    let said = "";
    this.#child.stderr!.on("data", (chunk) => {
      said = `${said}${chunk}`.slice(0, 2048);
    });
    // What cannot be started has an error in the place of an end.
    const how = await once(this.#child, "exit").then(
      ([code, signal]) => String(signal ?? code),
      (error: Error) => error,
    );
    this.#sendAway();
    if (how instanceof Error) return new ImageError("io", `courier-cage cannot be started: ${how.message}`, how);
    const [errno, what, path] = said.split("\0");
    if (what === undefined) return new Unavailable(`the courier ended by ${how}${said && `: ${said.trim()}`}`);
    const code = errno === "0" ? "refused" : getSystemErrorName(-Number(errno));
    return new ImageError("io", `courier-cage: ${what}${path && ` (${path})`}: ${code}`);
  }
}
