import { readFileSync } from "node:fs";
import { Socket } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { Lane } from "./lane.ts";
import { Errands } from "./serve.ts";

/** `main.ts <lanes> [<certificates>]`: descriptors 3 and up are the lanes. It ends when nobody holds the other ends any more. */
const [count, certificates] = process.argv.slice(2);
if (certificates !== undefined) {
  setDefaultCACertificates([...getCACertificates("default"), readFileSync(certificates, "utf8")]);
}
const errands = new Errands();
const lanes = Array.from({ length: Number(count) }, (_, at) => new Lane(new Socket({ fd: 3 + at })));
await Promise.all(lanes.map((lane) => errands.serve(lane)));
process.exit();
