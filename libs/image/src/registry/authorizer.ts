import type { AnswerHeaders } from "./answer.ts";
import { type Challenge, parseChallenges } from "./challenge.ts";
import { fetchToken } from "./token.ts";
import type { Wire } from "./wire.ts";

/** Who we are at a registry: a user with a password, a token that Docker's login keeps, or a bearer token as it is. */
export type Credential =
  | { readonly username: string; readonly password: string }
  | { readonly identity_token: string }
  | { readonly bearer: string };

/** A token is not used in its last seconds: it must hold until the request has arrived. */
const MARGIN_MS = 5_000;

/** Finds out how one registry wants to be spoken to, and keeps its tokens while they are valid. */
export class Authorizer {
  readonly #wire: Wire;
  readonly #credential: Credential | null;
  /** By the scopes that they were asked for. */
  readonly #tokens = new Map<string, { readonly header: string; readonly until: number }>();
  readonly #asked = new Map<string, Promise<string>>();
  #challenge: Challenge | null = null;

  constructor(wire: Wire, credential: Credential | null) {
    this.#wire = wire;
    this.#credential = credential;
  }

  /** Whether there is a credential, so that a refusal means that it is wrong. */
  get known(): boolean {
    return this.#credential !== null;
  }

  /** `Authorization` for a request that needs these scopes, or null when nothing is known to be needed. */
  async header(scopes: readonly string[]): Promise<string | null> {
    const credential = this.#credential;
    if (credential !== null && "bearer" in credential) return `Bearer ${credential.bearer}`;
    if (this.#challenge === null) return null;
    if (this.#challenge.scheme === "bearer") return this.#token(this.#challenge, scopes);
    return credential !== null && "username" in credential ? basic(credential) : null;
  }

  /**
   * Takes in what a 401 demands. False: nothing more can be tried.
   * @param refused the header that was not enough, null when none was sent: others may have asked for a token meanwhile
   */
  learn(headers: AnswerHeaders, scopes: readonly string[], refused: string | null): boolean {
    const challenges = parseChallenges(headers.get("www-authenticate") ?? "");
    const wanted =
      challenges.find(({ scheme, parameters }) => scheme === "bearer" && parameters.has("realm")) ??
      challenges.find(({ scheme }) => scheme === "basic");
    if (!wanted || (this.#credential !== null && "bearer" in this.#credential)) return false;
    this.#challenge = wanted;
    const key = scopes.join(" ");
    if (this.#tokens.get(key)?.header === refused) this.#tokens.delete(key);
    if (wanted.scheme === "bearer") return true;
    return refused === null && this.#credential !== null;
  }

  async #token(challenge: Challenge, scopes: readonly string[]): Promise<string> {
    const key = scopes.join(" ");
    const kept = this.#tokens.get(key);
    if (kept && Date.now() < kept.until) return kept.header;
    const asked = this.#asked.get(key) ?? this.#ask(key, challenge, scopes);
    this.#asked.set(key, asked);
    return asked;
  }

  /** No caller's signal: others may wait for the same token. */
  async #ask(key: string, challenge: Challenge, scopes: readonly string[]): Promise<string> {
    try {
      const credential = this.#credential;
      const { token, expires_in_s } = await fetchToken({ challenge, scopes, credential, wire: this.#wire });
      const header = `Bearer ${token}`;
      this.#tokens.set(key, { header, until: Date.now() + expires_in_s * 1000 - MARGIN_MS });
      return header;
    } finally {
      this.#asked.delete(key);
    }
  }
}

export const basic = ({ username, password }: { readonly username: string; readonly password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
