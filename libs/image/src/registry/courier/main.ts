import { Socket } from "node:net";
import { Lane } from "./lane.ts";
import { Errands } from "./serve.ts";

/** `main.ts <lanes>`: descriptors 3 and up are the lanes. It ends when nobody holds the other ends any more. */
const errands = new Errands();
const lanes = Array.from({ length: Number(process.argv[2]) }, (_, at) => new Lane(new Socket({ fd: 3 + at })));
await Promise.all(lanes.map((lane) => errands.serve(lane)));
process.exit();
