import { writeSync } from "node:fs";
import { openSpool } from "../spool/spool.ts";
import { sampleRecord } from "./sample-record.ts";

/** Puts records for ever and names each one that it was told is durable. Its test kills it. */
const spool = await openSpool(process.argv[2]!);
for (let n = 0; ; n += 1) {
  const record = sampleRecord(n);
  await spool.put(record);
  writeSync(1, `${record.record.id}\n`);
}
