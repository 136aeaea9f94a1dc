import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { blobBody, type RegistryRequest } from "./request.ts";

/** A request as far as its body is concerned. */
const requestOf = (parts: string[], headers: Record<string, string> = {}): RegistryRequest =>
  ({ incoming: Object.assign(Readable.from(parts.map((part) => Buffer.from(part))), { headers }) }) as never;
const tooLarge = { code: "SIZE_INVALID", options: { status: 413 }, message: "a blob has at most 10 B (10 bytes)" };

describe("a blob that is sent", () => {
  it("may have as many bytes as are left for it", async () => {
    const body = await Array.fromAsync(blobBody(requestOf(["hello", "world"]), 0, 10));
    expect(Buffer.concat(body).toString()).toBe("helloworld");
  });

  it("is refused when one byte more comes, whatever came before in other requests", async () => {
    await expect(Array.fromAsync(blobBody(requestOf(["hello", "worlds"]), 0, 10))).rejects.toMatchObject(tooLarge);
    await expect(Array.fromAsync(blobBody(requestOf(["hello"]), 6, 10))).rejects.toMatchObject(tooLarge);
  });

  it("is refused before it comes when its length says too much", () => {
    expect(() => blobBody(requestOf(["x"], { "content-length": "11" }), 0, 10)).toThrow(tooLarge.message);
    expect(() => blobBody(requestOf(["x"], { "content-length": "6" }), 5, 10)).toThrow(tooLarge.message);
  });
});
