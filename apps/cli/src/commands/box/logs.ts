import { FrameDecoder } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { write } from "./attach.ts";
import { boxPath } from "./path.ts";

/** What a box wrote, byte for byte, each of its two outputs to ours. */
export async function boxLogs(client: Client, box: string, flags: { readonly follow?: boolean }): Promise<void> {
  const accept = "application/vnd.mayfly.frames";
  const response = await client.ok(`${boxPath(box)}/logs${flags.follow ? "?follow" : ""}`, { headers: { accept } });
  const decoder = new FrameDecoder();
  for await (const chunk of client.chunks(response)) for (const frame of decoder.push(chunk)) await write(frame);
}
