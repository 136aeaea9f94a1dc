import type { Client } from "./client.ts";

const PAGE = 1000;

/** All items of a list, page after page, or the first `limit` of them. */
export async function* listed<T>(
  client: Client,
  path: string,
  member: string,
  query: URLSearchParams = new URLSearchParams(),
  limit = Number.POSITIVE_INFINITY,
): AsyncGenerator<T> {
  const asked = new URLSearchParams(query);
  for (let left = limit; left > 0; ) {
    asked.set("limit", String(Math.min(left, PAGE)));
    const page = await client.json<Record<string, unknown>>(`${path}?${asked}`);
    const items = page[member] as T[];
    yield* items;
    left -= items.length;
    if (typeof page.cursor !== "string" || items.length === 0) return;
    asked.set("cursor", page.cursor);
  }
}
