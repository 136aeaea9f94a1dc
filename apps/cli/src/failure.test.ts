import { FAULTS, type FaultCode, toProblem } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { CliError, EXIT, fetchError, parseProblem, problemError } from "./failure.ts";

describe("an exit status", () => {
  it("stands for each fault of the table", () => {
    const exits = Object.keys(FAULTS).map((code) => [
      code,
      problemError(toProblem(code as FaultCode, { detail: "d" })).exit,
    ]);
    const { unauthorized, forbidden, bad_request, bad_setting, timeout, ...others } = Object.fromEntries(exits);
    expect([unauthorized, forbidden, bad_request, bad_setting, timeout]).toEqual([77, 77, 2, 2, 124]);
    for (const [code, exit] of Object.entries(others))
      expect(exit, code).toBe(FAULTS[code as FaultCode].retry ? EXIT.retry : EXIT.failed);
  });

  it("of a code from a newer server is 1", () => {
    expect(problemError({ ...toProblem("timeout", { detail: "d" }), code: "toString" as FaultCode }).exit).toBe(1);
  });
});

describe("a problem document", () => {
  it("is the platform's by its type; a function's own is an answer", () => {
    const ours = toProblem("not_found", { detail: "there is no x", hint: "look" });
    expect(parseProblem(JSON.stringify(ours))).toEqual(ours);
    for (const theirs of [{ code: "not_found", detail: "mine" }, { ...ours, type: "about:blank" }, null, 1, "x"])
      expect(parseProblem(JSON.stringify(theirs))).toBe(null);
    expect(parseProblem("<html>")).toBe(null);
  });
});

describe("a request that came to nothing", () => {
  const because = (cause: unknown) => fetchError("http://s", new TypeError("fetch failed", { cause }));

  it("says that nobody is there only when that is so", () => {
    expect(because(Object.assign(new Error("x"), { code: "ECONNREFUSED" }))).toMatchObject({
      exit: 69,
      message: "no server answers at http://s",
      hint: expect.stringContaining("npm start"),
    });
  });

  it("blames the file that could not be read, not the server", () => {
    const cause = Object.assign(new Error("EACCES: permission denied, open 'a'"), { code: "EACCES", path: "a" });
    expect(because(cause)).toMatchObject({ exit: 2, message: expect.stringContaining("'a'") });
    const packing = new CliError("cannot pack d", { exit: 2 });
    expect(because(packing)).toBe(packing);
  });

  it("that broke off may be tried again", () => {
    expect(because(Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" }))).toMatchObject({
      exit: 75,
      message: expect.stringContaining("other side closed"),
    });
  });
});
