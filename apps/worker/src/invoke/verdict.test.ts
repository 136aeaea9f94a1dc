import type { Ending } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { judge, type Observed } from "./verdict.ts";

const ok: Observed = {
  ending: { kind: "exit", code: 0 },
  boxError: null,
  answered: 200,
  complete: true,
  clientGone: false,
  dismissed: false,
};
const endedBy = (ending: Ending, more: Partial<Observed> = {}) =>
  judge({ ...ok, answered: null, complete: false, ending, ...more });

describe("a verdict", () => {
  it("passes a function's own status untouched", () => {
    expect(judge({ ...ok, answered: 418 })).toMatchObject({ status: "succeeded", httpStatus: 418, fault: null });
  });

  it("blames the function that ends without an answer, and says how it ended", () => {
    expect(endedBy({ kind: "exit", code: 3 })).toMatchObject({
      status: "crashed",
      httpStatus: 502,
      fault: "function_crashed",
    });
    expect(endedBy({ kind: "exit", code: 3 }).message).toContain("exited with code 3");
    expect(endedBy({ kind: "signal", signal: 11 }).message).toContain("signal 11");
  });

  it("tells running out of memory and of time from a crash", () => {
    expect(endedBy({ kind: "out_of_memory" })).toMatchObject({ status: "out_of_memory", httpStatus: 502 });
    expect(endedBy({ kind: "timeout" })).toMatchObject({ status: "timeout", httpStatus: 504 });
  });

  it("keeps the status that the caller already saw when the box dies after it", () => {
    expect(endedBy({ kind: "out_of_memory" }, { answered: 200 })).toMatchObject({
      status: "out_of_memory",
      httpStatus: 200,
    });
  });

  it("believes a box about a function's fault and about nothing else", () => {
    const error = (code: string) => endedBy({ kind: "exit", code: 1 }, { boxError: { code, message: "m" } }).fault;
    expect(error("function_error")).toBe("function_error");
    expect(error("no_capacity")).toBe("bad_response");
    expect(error("constructor")).toBe("bad_response");
  });

  it("puts a caller that went away before what that did to the box", () => {
    expect(endedBy({ kind: "killed", reason: "the caller went away" }, { clientGone: true })).toMatchObject({
      status: "canceled",
    });
  });

  it("takes the blame for a box that could not be made, and names the step", () => {
    const verdict = endedBy({
      kind: "refused",
      step: "mount overlay",
      errno: "ENOENT",
      message: "no such file",
      remedy: null,
    });
    expect(verdict).toMatchObject({ status: "platform_error", fault: "internal" });
    expect(verdict.message).toContain("mount overlay: ENOENT");
  });
});
