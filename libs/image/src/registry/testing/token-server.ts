import { execFile } from "node:child_process";
import { createPrivateKey, randomUUID, sign, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";

export const SERVICE = "mayfly-test";
const ISSUER = "mayfly-test-issuer";

export interface TokenServer {
  readonly realm: string;
  /** Every request, as method and query or form. */
  readonly asked: { readonly method: string; readonly form: URLSearchParams; readonly user: string | null }[];
  /** Seconds that tokens are said to be valid; null: nothing is said. */
  expires_in: number | null;
  /** `auth` of docker-registry's configuration. */
  readonly config: string;
  close(): void;
}

/**
 * Gives tokens as docker-registry demands them: to anybody for pulling, to `me` with `secret`, or with the refresh token `refresh`, for
 * whatever they ask. @param dir for a key and a certificate
 */
export async function startTokenServer(dir: string): Promise<TokenServer> {
  const [key, cert] = [join(dir, "key.pem"), join(dir, "cert.pem")];
  const make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
  await promisify(execFile)("openssl", [...make, "-subj", "/CN=test", "-keyout", key, "-out", cert]);
  const [privateKey, certificate] = [createPrivateKey(await readFile(key)), new X509Certificate(await readFile(cert))];
  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, "http://localhost");
    const form = request.method === "POST" ? new URLSearchParams(await text(request)) : url.searchParams;
    const [user, password] = Buffer.from((request.headers.authorization ?? "").replace("Basic ", ""), "base64")
      .toString()
      .split(":");
    tokens.asked.push({ method: request.method!, form, user: user || null });
    const trusted = (user === "me" && password === "secret") || form.get("refresh_token") === "refresh";
    if (user && !trusted) return void response.writeHead(401).end('{"errors":[{"code":"UNAUTHORIZED"}]}');
    const scopes = form.getAll("scope").flatMap((scope) => scope.split(" "));
    const access = scopes.map((scope) => {
      const [type, name, actions] = scope.split(":");
      return { type, name, actions: actions!.split(",").filter((action) => trusted || action === "pull") };
    });
    const now = Math.floor(Date.now() / 1000);
    const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const head = part({ typ: "JWT", alg: "ES256", x5c: [certificate.raw.toString("base64")] });
    const times = { exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID() };
    const claims = part({ iss: ISSUER, sub: user ?? "", aud: SERVICE, ...times, access });
    const signature = sign("sha256", Buffer.from(`${head}.${claims}`), { key: privateKey, dsaEncoding: "ieee-p1363" });
    const token = `${head}.${claims}.${signature.toString("base64url")}`;
    const name = request.method === "POST" ? "access_token" : "token";
    const life = tokens.expires_in === null ? {} : { expires_in: tokens.expires_in };
    response.setHeader("content-type", "application/json").end(JSON.stringify({ [name]: token, ...life }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const realm = `http://127.0.0.1:${(server.address() as { port: number }).port}/token`;
  const config = `auth: {token: {realm: "${realm}", service: ${SERVICE}, issuer: ${ISSUER}, rootcertbundle: ${cert}}}`;
  const tokens: TokenServer = {
    ...{ realm, config, asked: [], expires_in: 300 },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
  return tokens;
}
