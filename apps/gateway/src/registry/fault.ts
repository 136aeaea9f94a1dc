/** The distribution spec's error codes, each with the status that it has unless something else is said. */
const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 400,
  BLOB_UPLOAD_UNKNOWN: 404,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 404,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  SIZE_INVALID: 400,
  UNAUTHORIZED: 401,
  DENIED: 403,
  UNSUPPORTED: 405,
  TOOMANYREQUESTS: 429,
} as const;
export type RegistryCode = keyof typeof STATUS;

export interface RegistryFaultOptions {
  readonly status?: number;
  /** Data for the client, as the spec's `detail`. */
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** What the registry's routes throw: it becomes the spec's answer, and nothing else does. */
export class RegistryFault extends Error {
  override name = "RegistryFault";
  readonly code: RegistryCode;
  readonly options: RegistryFaultOptions;

  constructor(code: RegistryCode, message: string, options: RegistryFaultOptions = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.options = options;
  }
}

export function faultResponse({ code, message, options }: RegistryFault): Response {
  const { detail } = options;
  const error = { code, message, ...(detail === undefined ? {} : { detail }) };
  return new Response(`${JSON.stringify({ errors: [error] })}\n`, {
    status: options.status ?? STATUS[code],
    headers: { "content-type": "application/json", ...options.headers },
  });
}
