import { ImageError } from "../error.ts";
import type { Answer } from "./answer.ts";
import { basic, type Credential } from "./authorizer.ts";
import type { Challenge } from "./challenge.ts";
import { refusalError } from "./failure.ts";
import { RETRY, retrying } from "./retry.ts";
import type { Wire } from "./wire.ts";

export interface Token {
  readonly token: string;
  readonly expires_in_s: number;
}

/** What the distribution spec's token document says of a server that does not say. */
const DEFAULT_LIFE_S = 60;
const LARGEST_BYTES = 1024 * 1024;
const FOREVER = new AbortController().signal;
const CLIENT_ID = "mayfly";

export interface TokenRequest {
  /** With a `realm`. */
  readonly challenge: Challenge;
  readonly scopes: readonly string[];
  /** Null asks for what anybody may have. */
  readonly credential: Credential | null;
  readonly wire: Wire;
}

/**
 * Asks a registry's token server (distribution, docs/spec/auth/token.md and oauth.md). A token with fewer rights than were asked for
 * is no error here. @throws Unavailable, ImageError
 */
export function fetchToken({ challenge, scopes, credential, wire }: TokenRequest): Promise<Token> {
  const realm = realmOf(challenge);
  const service = challenge.parameters.get("service");
  return retrying(
    async () => {
      const oauth = credential !== null && "identity_token" in credential;
      const answer = oauth
        ? await post(realm, service, scopes, credential.identity_token, wire)
        : await get(realm, service, scopes, credential, wire);
      return read(answer, realm, oauth ? "POST" : "GET", credential !== null);
    },
    RETRY,
    FOREVER,
  );
}

function realmOf(challenge: Challenge): URL {
  const text = challenge.parameters.get("realm")!;
  if (URL.canParse(text)) return new URL(text);
  const shown = JSON.stringify(text.slice(0, 200));
  throw new ImageError("refused", `asking for a token: the registry says to ask ${shown}, which is no address`);
}

function get(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  credential: Credential | null,
  wire: Wire,
): Promise<Answer> {
  const url = new URL(realm);
  if (service !== undefined) url.searchParams.append("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  const named = credential !== null && "username" in credential ? credential : null;
  if (named) url.searchParams.append("account", named.username);
  return wire.send({ method: "GET", url, authorization: named ? basic(named) : null, signal: FOREVER });
}

function post(
  realm: URL,
  service: string | undefined,
  scopes: readonly string[],
  identity: string,
  wire: Wire,
): Promise<Answer> {
  const form = new URLSearchParams({ grant_type: "refresh_token", refresh_token: identity, client_id: CLIENT_ID });
  if (service !== undefined) form.append("service", service);
  form.append("scope", scopes.join(" "));
  const bytes = Buffer.from(form.toString());
  return wire.send({
    method: "POST",
    url: realm,
    headers: { "content-type": "application/x-www-form-urlencoded" },
    authorization: null,
    body: { size_bytes: bytes.byteLength, open: () => bytes },
    signal: FOREVER,
  });
}

async function read(answer: Answer, realm: URL, method: string, known: boolean): Promise<Token> {
  const text = (await answer.bytes(LARGEST_BYTES)).toString("utf8");
  const request = `${method} ${realm.pathname}`;
  if (answer.status !== 200) {
    const { status, headers } = answer;
    throw refusalError({ doing: "asking for a token", request, host: realm.host, status, headers, text, known });
  }
  const given = parsed(text);
  const token = given?.token ?? given?.access_token;
  if (typeof token !== "string" || token === "") {
    throw new ImageError("refused", `asking for a token: ${realm.host} answered ${request} without one`);
  }
  const life = given?.expires_in;
  return { token, expires_in_s: typeof life === "number" && life > 0 ? life : DEFAULT_LIFE_S };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown> | null;
  } catch {
    return null;
  }
}
