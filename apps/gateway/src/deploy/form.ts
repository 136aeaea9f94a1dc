import type { IncomingMessage } from "node:http";
import { finished, PassThrough, type Readable } from "node:stream";
import { Busboy, type BusboyInstance } from "@fastify/busboy";
import { BadSetting, Fault, FIXED_LIMITS } from "@mayfly/contract";
import { flatSettings } from "./flat-settings.ts";

export interface FormSource {
  /** Fails with what is wrong with the form when that shows only while the source comes. */
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
  /** Settings of the part `config`. It may stand behind `source`: all of them are here when `body` has ended. */
  readonly settings: readonly (readonly [string, string | null])[];
  /** Parts `secret.ID`, texts or files; complete as the settings are. */
  readonly secrets: ReadonlyMap<string, Uint8Array>;
}

const SECRET = "secret.";

/** Reads `multipart/form-data` up to its part `source` and hands that on as a stream. @throws Fault bad_request; BadSetting */
export function formSource(request: IncomingMessage): Promise<FormSource> {
  return new Promise((resolve, reject) => {
    const settings: [string, string | null][] = [];
    const secrets = new Map<string, Uint8Array>();
    let source: Readable | null = null;
    const fail = (error: Error) => {
      source?.destroy(error);
      reject(error);
    };
    const refuse = (detail: string) =>
      fail(new Fault("bad_request", { detail, hint: 'curl -F config=\'{"memory":"256MiB"}\' -F source=@hello.ts' }));
    const busboy = openBusboy(request, refuse);
    if (!busboy) return;
    busboy.on("field", (name, value) => {
      if (name.startsWith(SECRET)) return void secrets.set(name.slice(SECRET.length), Buffer.from(value));
      if (name !== "config") return refuse(`the form has a part ${name}; parts are config, source and secret.ID`);
      try {
        settings.push(...flatSettings(configOf(value)));
      } catch (error) {
        if (error instanceof BadSetting) return fail(error);
        refuse(`the part config: ${(error as Error).message}`);
      }
    });
    busboy.on("file", (name, stream, fileName, _encoding, type) => {
      stream.on("error", () => {}); // The reader of the stream sees it.
      if (name.startsWith(SECRET)) return keepSecret(name.slice(SECRET.length), stream, secrets, refuse);
      if (name !== "source" || source) {
        stream.resume();
        return refuse(
          source ? "the form has two files; it has one, source" : `the form has a file ${name}; it is called source`,
        );
      }
      source = heldBack(stream, busboy);
      source.on("error", () => {}); // As above; it may fail before anybody reads it.
      const generic = type === "application/octet-stream" || type === "text/plain";
      resolve({
        body: source,
        contentType: generic ? undefined : type,
        fileName: /\.[cm]?[jt]sx?$/.exec(fileName ?? "")?.[0].replace(/^/, "index"),
        settings,
        secrets,
      });
    });
    busboy.on("finish", () => source ?? refuse("the form has no file source"));
    busboy.on("error", (error: unknown) => refuse(`the form cannot be read: ${(error as Error).message}`));
    finished(request, { writable: false }, (error) => error && refuse("the form broke off"));
    request.pipe(busboy);
  });
}

function openBusboy(request: IncomingMessage, refuse: (detail: string) => void): BusboyInstance | null {
  try {
    return new Busboy({
      headers: request.headers as never,
      limits: { fields: 100, fieldSize: FIXED_LIMITS.secrets_bytes },
    });
  } catch (error) {
    refuse(`the form cannot be read: ${(error as Error).message}`);
    return null;
  }
}

/** A secret that is sent as a file, byte for byte. */
function keepSecret(
  id: string,
  file: Readable,
  secrets: Map<string, Uint8Array>,
  refuse: (detail: string) => void,
): void {
  const parts: Buffer[] = [];
  let size = 0;
  file.on("data", (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size <= FIXED_LIMITS.secrets_bytes) parts.push(chunk);
  });
  file.on("end", () => {
    if (size > FIXED_LIMITS.secrets_bytes)
      return refuse(`${SECRET}${id} has more than ${FIXED_LIMITS.secrets_bytes} bytes`);
    secrets.set(id, Buffer.concat(parts));
  });
}

/** The file, ending only when the whole form has: until then something may be wrong with what follows. */
function heldBack(file: Readable, form: BusboyInstance): Readable {
  const held = new PassThrough();
  file.pipe(held, { end: false });
  form.once("finish", () => held.end());
  return held;
}

function configOf(text: string): Record<string, unknown> {
  const config: unknown = JSON.parse(text);
  if (config === null || typeof config !== "object" || Array.isArray(config)) throw new Error("it is no JSON object");
  return config as Record<string, unknown>;
}
