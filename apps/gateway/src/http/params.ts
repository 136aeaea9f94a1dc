import { Fault, FunctionName } from "@mayfly/contract";

/** @throws Fault bad_setting for what cannot be a function's name */
export function functionName(text: string): FunctionName {
  const parsed = FunctionName.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new Fault("bad_setting", {
    detail: `name ${JSON.stringify(text)}: ${parsed.error.issues[0]?.message}`,
    extra: { setting: "name" },
  });
}

/** `?limit=`, 1 to 1000. @throws Fault bad_request */
export function limitOf(text: string | undefined, fallback = 50): number {
  if (text === undefined) return fallback;
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 1000) return limit;
  throw new Fault("bad_request", { detail: `limit=${text} is no whole number from 1 to 1000` });
}

/** Where a list goes on: what an earlier page of it gave as `cursor`. @throws Fault bad_request */
export function cursorOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new Fault("bad_request", { detail: `cursor=${text} is none of ours` });
}

/** An RFC 3339 time in a query, as UTC with microseconds, as records have them: they are compared as text. @throws Fault bad_request */
export function timeOf(name: string, text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const time = new Date(text);
  if (!Number.isNaN(time.getTime())) return time.toISOString().replace("Z", "000Z");
  throw new Fault("bad_request", { detail: `${name}=${text} is no time; write it like 2026-11-24T12:00:00Z` });
}
