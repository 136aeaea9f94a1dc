import type { Headers, RequestHead } from "@mayfly/contract";

/** An HTTP request as a Lambda function gets it: payload format 2.0. */
export interface LambdaEvent {
  readonly version: "2.0";
  readonly routeKey: "$default";
  readonly rawPath: string;
  readonly rawQueryString: string;
  readonly cookies?: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly queryStringParameters?: Readonly<Record<string, string>>;
  readonly requestContext: {
    readonly accountId: "anonymous";
    readonly apiId: string;
    readonly domainName: string;
    readonly domainPrefix: string;
    readonly http: {
      readonly method: string;
      readonly path: string;
      readonly protocol: "HTTP/1.1";
      readonly sourceIp: string;
      readonly userAgent: string;
    };
    readonly requestId: string;
    readonly routeKey: "$default";
    readonly stage: "$default";
    /** As 12/Mar/2020:19:03:58 +0000. */
    readonly time: string;
    readonly timeEpoch: number;
  };
  readonly body?: string;
  readonly isBase64Encoded: boolean;
}

export interface EventInput {
  readonly head: RequestHead;
  readonly body: Uint8Array;
  readonly function: string;
  readonly invocation: string;
  readonly epoch_ms: number;
}

/** Pure. Several headers, and several parameters, of one name are joined with a comma; cookies stand apart. */
export function lambdaEvent(input: EventInput): LambdaEvent {
  const { head, body } = input;
  const mark = head.target.indexOf("?");
  const rawPath = mark < 0 ? head.target : head.target.slice(0, mark);
  const rawQueryString = mark < 0 ? "" : head.target.slice(mark + 1);
  const headers = joined(head.headers.filter(([name]) => name !== "cookie"));
  const cookies = head.headers.filter(([name]) => name === "cookie").flatMap(([, value]) => value.split(/;\s*/));
  const query = joined([...new URLSearchParams(rawQueryString)]);
  const domainName = headers.host ?? new URL(head.origin).host;
  return {
    version: "2.0",
    routeKey: "$default",
    rawPath,
    rawQueryString,
    ...(cookies.length > 0 && { cookies }),
    headers,
    ...(Object.keys(query).length > 0 && { queryStringParameters: query }),
    requestContext: {
      accountId: "anonymous",
      apiId: input.function,
      domainName,
      domainPrefix: domainName.split(".")[0]!,
      http: {
        method: head.method,
        path: rawPath,
        protocol: "HTTP/1.1",
        sourceIp: headers["x-forwarded-for"]?.split(/\s*,\s*/).at(-1) ?? "",
        userAgent: headers["user-agent"] ?? "",
      },
      requestId: input.invocation,
      routeKey: "$default",
      stage: "$default",
      time: commonLogTime(new Date(input.epoch_ms)),
      timeEpoch: input.epoch_ms,
    },
    ...bodyOf(body, headers["content-type"] ?? ""),
  };
}

function joined(pairs: Headers): Record<string, string> {
  // A name may be one that objects have of themselves.
  const found: Record<string, string> = Object.create(null);
  for (const [name, value] of pairs) found[name] = found[name] === undefined ? value : `${found[name]},${value}`;
  return { ...found };
}

const TEXT = /^(?:text\/|application\/(?:json|javascript|xml|[^;]+\+(?:json|xml))(?:$|[; ]))/i;

/** Text where its type says so and it is UTF-8; anything else in Base64, so that no byte is lost. */
function bodyOf(body: Uint8Array, type: string): Pick<LambdaEvent, "body" | "isBase64Encoded"> {
  if (body.byteLength === 0) return { isBase64Encoded: false };
  if (TEXT.test(type)) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
      return { body: text, isBase64Encoded: false };
    } catch {
      // Not UTF-8, whatever its type says.
    }
  }
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  return { body: bytes.toString("base64"), isBase64Encoded: true };
}

function commonLogTime(at: Date): string {
  const [, day, month, year, time] = /^\w+, (\d+) (\w+) (\d+) ([\d:]+)/.exec(at.toUTCString())!;
  return `${day}/${month}/${year}:${time} +0000`;
}
