import { ImageError } from "../error.ts";

const UNKNOWN = "its certificate is of no CA that is trusted here; name its CA's certificate in MAYFLY_REGISTRY_CA";
const NO_TLS =
  "it does not speak TLS; plain HTTP is for this machine and for registries that are named as insecure (--insecure)";

const OTHER_HOST = "ERR_TLS_CERT_ALTNAME_INVALID";

/** What Node and OpenSSL (x509_vfy.h, sslerr.h) call what is wrong with the other side's TLS. */
const WRONG: Readonly<Record<string, string>> = {
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN,
  [OTHER_HOST]: "its certificate is of another host",
  CERT_HAS_EXPIRED: "its certificate has expired; it must renew it, or this machine's clock is wrong",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; this machine's clock may be wrong",
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
};

/** Others that OpenSSL has for certificates: revoked, not for servers, of too weak a key. */
const OF_CERTIFICATES = /^(?:CERT|CRL|INVALID|HOSTNAME|PATH|EE_KEY|CA_(?:KEY|MD))_/;

/** What is found while something is written has OpenSSL's words alone: `…:SSL routines:<function>:wrong version number:<file>:…`. */
const reasonIn = (message: string): string =>
  `ERR_SSL_${(/:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? "").toUpperCase().replaceAll(" ", "_")}`;

/** A server that does not prove to be the one that was asked for: the next try would find the same. Null: the error is of another kind. */
export function distrustOf(error: unknown, url: URL): ImageError | null {
  const { code: named, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof named !== "string") return null;
  const code = named === "EPROTO" ? reasonIn(String(message)) : named;
  const why = WRONG[code] ?? (OF_CERTIFICATES.test(code) ? "its certificate is not valid" : null);
  if (why === null) return null;
  // The names that a certificate has are in the message alone; of the others, Node's says how Node is started.
  const said = code === OTHER_HOST ? String(message).slice(0, 300) : code;
  return new ImageError("refused", `${url.host} is not trusted: ${why} (${said})`, error);
}
