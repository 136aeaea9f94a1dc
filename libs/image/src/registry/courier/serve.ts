import { buffer } from "node:stream/consumers";
import { decodeJson, FRAME } from "@mayfly/contract";
import { RegistryHost } from "../registry-host.ts";
import { RETRY } from "../retry.ts";
import type { Body } from "../wire.ts";
import type { Lane } from "./lane.ts";
import { type Ask, type Head, SHOWN, troubleOf } from "./message.ts";
import { UploadBody } from "./upload-body.ts";

/** Whoever has gone closes the lane. */
const NEVER = new AbortController().signal;

/** The courier's side: carries requests to registries until all lanes are closed. Registries are known by all that is said of them. */
export class Errands {
  readonly #registries = new Map<string, RegistryHost>();

  async serve(lane: Lane): Promise<void> {
    for (let frame = await lane.next(); frame?.type === FRAME.RECORD; frame = await lane.next()) {
      const upload = new UploadBody(lane);
      const trouble = await this.#run(decodeJson(frame) as Ask, lane, upload).then(() => null, troubleOf);
      await upload.drain();
      if (trouble) await lane.json(FRAME.ERROR, trouble);
      else await lane.bytes(FRAME.END);
    }
    lane.close();
  }

  async #run(ask: Ask, lane: Lane, upload: UploadBody): Promise<void> {
    const { body, method, url, headers, scopes, expect, doing } = ask;
    const answer = await this.#registry(ask.registry).send({
      ...{ method, url: URL.canParse(url) ? new URL(url) : url, headers, scopes, expect, doing, signal: NEVER },
      ...(body && { body: await bodyOf(body, upload) }),
    });
    const shown = SHOWN.flatMap((name) => {
      const value = answer.headers.get(name);
      return value === null ? [] : [[name, value] as const];
    });
    await lane.json(FRAME.HEAD, { status: answer.status, url: answer.url.href, headers: shown } satisfies Head);
    for await (const chunk of answer.chunks()) await lane.bytes(FRAME.DATA, chunk);
  }

  #registry({ host, insecure, credential, stall_ms }: Ask["registry"]): RegistryHost {
    const key = JSON.stringify([host, insecure, credential, stall_ms]);
    const known =
      this.#registries.get(key) ??
      new RegistryHost({ host, insecure: new Set(insecure), credential, retry: RETRY, stall_ms });
    this.#registries.set(key, known);
    return known;
  }
}

async function bodyOf({ size_bytes, whole }: NonNullable<Ask["body"]>, upload: UploadBody): Promise<Body> {
  if (!whole) return { size_bytes, open: () => upload.open() };
  const bytes = size_bytes === 0 ? new Uint8Array(0) : await buffer(upload.open());
  return { size_bytes, open: () => bytes };
}
