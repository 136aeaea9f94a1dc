import type { InvokeJob } from "@mayfly/contract";

/** Headers that are variables of their own (RFC 3875 §4.1.2, §4.1.3), or must be none: programs take HTTP_PROXY for the operator's. */
const NOT_HTTP = new Set(["content-type", "content-length", "proxy"]);

/** The request as the environment of a CGI program (RFC 3875 §4.1). Pure. */
export function metaVariables({ head }: Pick<InvokeJob, "head">): Record<string, string> {
  const [path = "/", query = ""] = split(head.target, "?");
  const first = (name: string) => head.headers.find(([key]) => key === name)?.[1];
  const origin = new URL(head.origin);
  const length = first("content-length");
  const type = first("content-type");
  return {
    GATEWAY_INTERFACE: "CGI/1.1",
    SERVER_PROTOCOL: "HTTP/1.1",
    SERVER_SOFTWARE: "mayfly",
    SERVER_NAME: origin.hostname,
    SERVER_PORT: origin.port || (origin.protocol === "https:" ? "443" : "80"),
    REQUEST_METHOD: head.method,
    SCRIPT_NAME: first("x-forwarded-prefix") ?? "",
    PATH_INFO: decoded(path),
    QUERY_STRING: query,
    REQUEST_URI: head.target,
    REMOTE_ADDR:
      first("x-forwarded-for")
        ?.split(/\s*,\s*/)
        .at(-1) ?? "",
    ...(length !== undefined && { CONTENT_LENGTH: length }),
    ...(type !== undefined && { CONTENT_TYPE: type }),
    ...fromHeaders(head.headers),
  };
}

/** Several headers of one name are one variable (§4.1.18). What cannot be an environment's name or value is left out. */
function fromHeaders(headers: InvokeJob["head"]["headers"]): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of headers) {
    if (NOT_HTTP.has(name) || !/^[a-z0-9-]+$/.test(name) || value.includes("\0")) continue;
    const key = `HTTP_${name.toUpperCase().replaceAll("-", "_")}`;
    found[key] = Object.hasOwn(found, key) ? `${found[key]}${name === "cookie" ? "; " : ", "}${value}` : value;
  }
  return found;
}

function split(text: string, at: string): [string, string?] {
  const index = text.indexOf(at);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

/** PATH_INFO is decoded (§4.1.5); what cannot be stays as it came. */
function decoded(path: string): string {
  try {
    const text = decodeURIComponent(path);
    return text.includes("\0") ? path : text;
  } catch {
    return path;
  }
}
