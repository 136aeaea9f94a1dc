import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connection } from "./connection.ts";

describe("a connection", () => {
  let home: string;
  beforeAll(() => {
    home = mkdtempSync(join(tmpdir(), "mayfly-cli-"));
    writeFileSync(join(home, "key"), "local\n");
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));

  it("is to the server on this host with its own key, when nothing else is said", () => {
    expect(connection({}, { MAYFLY_HOME: home })).toEqual({ url: "http://127.0.0.1:8080", key: "local" });
    expect(connection({}, { MAYFLY_HOME: join(home, "none") }).key).toBe(null);
  });

  it("takes flags before environment before the file; what is empty is not set", () => {
    const env = { MAYFLY_HOME: home, MAYFLY_URL: "http://localhost:1/", MAYFLY_KEY: "env" };
    expect(connection({}, env)).toEqual({ url: "http://localhost:1", key: "env" });
    expect(connection({ server: "http://[::1]:2", key: "flag" }, env)).toEqual({ url: "http://[::1]:2", key: "flag" });
    expect(connection({}, { ...env, MAYFLY_URL: "", MAYFLY_KEY: "" }).key).toBe("local");
  });

  it("never takes this host's key to another", () => {
    for (const server of ["https://mayfly.example", "http://127.0.0.1.example", "http://10.0.0.1:8080"])
      expect(connection({ server }, { MAYFLY_HOME: home }).key, server).toBe(null);
  });

  it("to what is no URL is refused", () => {
    for (const server of ["example", "ftp://x", "localhost:8080"])
      expect(() => connection({ server }, {}), server).toThrow("is no URL");
  });
});
