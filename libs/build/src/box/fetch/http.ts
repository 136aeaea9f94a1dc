import { Failure } from "../failure.ts";

/** As often an address may lead to another one. */
const MOST_HOPS = 3;
const REFUSED =
  "boxes reach the public internet alone: addresses that are private, link-local or this host's own are refused, unless the operator allows them (MAYFLY_EGRESS_ALLOW)";

export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
}

/** An answer that is no error, wherever redirects have led. @throws Failure that names the address and what it answered */
export async function request(
  address: string,
  { method = "GET", headers = {}, body }: HttpRequest = {},
): Promise<Response> {
  let { url, authorization } = readAddress(address);
  for (let hops = 0; ; hops += 1) {
    const own: Record<string, string> = { "user-agent": "git/mayfly", ...headers };
    if (authorization !== null) own.authorization = authorization;
    const init = { method, headers: own, redirect: "manual", ...(body && { body }) } as const;
    const answer = await fetch(url, init).catch((error: Error) => {
      throw unreachable(url, error);
    });
    const location = answer.status >= 300 && answer.status < 400 ? answer.headers.get("location") : null;
    if (location === null) {
      if (answer.ok) return answer;
      await answer.body?.cancel();
      throw new Failure(`${method} ${url} answered ${answer.status} ${answer.statusText}`.trimEnd());
    }
    await answer.body?.cancel();
    if (hops === MOST_HOPS) throw new Failure(`${address} leads to more than ${MOST_HOPS} other addresses`);
    const next = readAddress(new URL(location, url).href);
    if (url.protocol === "https:" && next.url.protocol !== "https:")
      throw new Failure(`${url} leads to ${next.url}, which is not encrypted`);
    // What lets us in at one place is nobody else's affair.
    authorization = next.url.origin === url.origin ? authorization : next.authorization;
    url = next.url;
  }
}

/** Name and password do not stay in what is shown. @throws Failure for what is no HTTP address */
function readAddress(text: string): { url: URL; authorization: string | null } {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new Failure(`${text} cannot be fetched: it is no http or https address`);
  const { username, password } = url;
  url.username = "";
  url.password = "";
  if (username === "" && password === "") return { url, authorization: null };
  const pair = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString("base64");
  return { url, authorization: `Basic ${pair}` };
}

function unreachable(url: URL, error: Error): Failure {
  const cause = error.cause as { code?: string; message?: string } | undefined;
  const why = cause?.code ?? cause?.message ?? error.message;
  const refused = ["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EACCES", "EPERM"].includes(why);
  return new Failure(`cannot connect to ${url.host}: ${why}`, refused ? { hint: REFUSED } : {});
}
