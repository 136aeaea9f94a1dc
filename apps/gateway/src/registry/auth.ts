import { hasKey, isKey } from "../http/auth.ts";
import { RegistryFault } from "./fault.ts";

/**
 * The API's key, as a bearer token or as the password of any user: `docker login` and `skopeo login` know only the latter, and are
 * told so. @throws RegistryFault UNAUTHORIZED
 */
export function requireRegistryKey(authorization: string | undefined, key: string): void {
  if (hasKey(authorization, key) || isKey(passwordOf(authorization), key)) return;
  throw new RegistryFault("UNAUTHORIZED", "a key is needed: docker login with any user and the key as password", {
    headers: { "www-authenticate": 'Basic realm="mayfly", charset="UTF-8"' },
  });
}

function passwordOf(authorization: string | undefined): string | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]+)$/i.exec(authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const decoded = Buffer.from(encoded, "base64").toString("utf8");
  const colon = decoded.indexOf(":");
  return colon === -1 ? undefined : decoded.slice(colon + 1);
}
