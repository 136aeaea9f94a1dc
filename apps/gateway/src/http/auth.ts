import { createHash, timingSafeEqual } from "node:crypto";
import { Fault } from "@mayfly/contract";
import type { MiddlewareHandler } from "hono";

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/** Whether a request carries the key. Digests are compared, in constant time, so that lengths tell nothing either. */
export function hasKey(authorization: string | undefined, key: string): boolean {
  return isKey(/^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1], key);
}

export const isKey = (given: string | undefined, key: string): boolean =>
  given !== undefined && timingSafeEqual(digest(given), digest(key));

export const requireKey = (key: string): MiddlewareHandler =>
  async function keyRequired(context, next) {
    if (!hasKey(context.req.header("authorization"), key)) {
      const hint = "send the header Authorization: Bearer <key>; npm start shows the key, it lies in $MAYFLY_HOME/key";
      throw new Fault("unauthorized", { detail: `${context.req.method} ${context.req.path} needs a key`, hint });
    }
    await next();
  };
