import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy } from "@fastify/busboy";
import { Fault } from "@mayfly/contract";

export interface FormSource {
  readonly body: Readable;
  readonly contentType: string | undefined;
  readonly fileName: string | undefined;
  /** Settings of the part `config`, which must come before `source`. */
  readonly settings: readonly (readonly [string, string])[];
}

/** Reads `multipart/form-data` up to its part `source` and hands that on as a stream. @throws Fault bad_request */
export function formSource(request: IncomingMessage): Promise<FormSource> {
  return new Promise((resolve, reject) => {
    const refuse = (detail: string) =>
      reject(new Fault("bad_request", { detail, hint: 'curl -F config=\'{"memory":"256MiB"}\' -F source=@hello.ts' }));
    let settings: (readonly [string, string])[] = [];
    let found = false;
    const busboy = new Busboy({
      headers: request.headers as never,
      limits: { fields: 10, files: 1, fieldSize: 256 * 1024 },
    });
    busboy.on("field", (name, value) => {
      if (name !== "config") return refuse(`the form has a part ${name}; parts are config and source`);
      try {
        settings = flatten(JSON.parse(value));
      } catch (error) {
        refuse(`the part config: ${(error as Error).message}`);
      }
    });
    busboy.on("file", (name, stream, fileName, _encoding, type) => {
      if (name !== "source") {
        stream.resume();
        return refuse(`the form has a file ${name}; it is called source`);
      }
      found = true;
      const generic = type === "application/octet-stream" ? undefined : type;
      resolve({
        body: stream,
        contentType: generic,
        fileName: generic === undefined && /\.[cm]?[jt]sx?$/.test(fileName ?? "") ? fileName : undefined,
        settings,
      });
    });
    busboy.on("finish", () => found || refuse("the form has no file source"));
    busboy.on("error", (error: unknown) => refuse(`the form cannot be read: ${(error as Error).message}`));
    request.pipe(busboy);
  });
}

/** `{"memory":"128MiB","env":{"A":"1"}}` → pairs as in a query. */
function flatten(config: unknown): (readonly [string, string])[] {
  if (config === null || typeof config !== "object" || Array.isArray(config)) throw new Error("it is no JSON object");
  return Object.entries(config).flatMap(([name, value]) =>
    value !== null && typeof value === "object"
      ? Object.entries(value).map(([key, inner]) => [`${name}.${key}`, String(inner)] as const)
      : [[name, String(value)] as const],
  );
}
