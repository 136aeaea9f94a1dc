import type { BuildRecord } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { openProgress, type ProgressKind, progressKind } from "./progress.ts";

const at = (ms: number) => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
const RECORDS = [
  { ts: at(0), step: "context", status: "start" },
  { ts: at(100), step: "context", status: "done", elapsed_ms: 100 },
  { ts: at(110), step: "warning", status: "log", msg: "StageNameCasing: … (line 1)" },
  { ts: at(200), step: "#1", status: "start", msg: "[1/2] COPY a /" },
  { ts: at(210), step: "#1", status: "done", msg: "CACHED" },
  { ts: at(300), step: "#2", status: "start", msg: "[2/2] RUN make" },
  { ts: at(812), step: "#2", status: "log", msg: "cc -c a.c", stream: "stdout" },
  { ts: at(900), step: "#2", status: "log", msg: 'ERROR process "make" did not complete successfully: exit code: 2' },
  { ts: at(940), step: "build", status: "error", error: { code: "build_failed", message: "exit code: 2" } },
].map((record, seq) => ({ seq, ...record }) as BuildRecord);
const FAILED = {
  ...{ ts: at(950), seq: 9, step: "result", status: "error" },
  error: {
    code: "build_failed",
    message: "exit code: 2",
    locations: [
      {
        file: "Dockerfile",
        line: 3,
        column: 1,
        message: "",
        excerpt: "Dockerfile:3\n--------------------\n   2 |     COPY a /\n   3 | >>> RUN make\n--------------------\n",
      },
    ],
  },
} as BuildRecord;

/** What a stream of so many columns got. */
function shown(
  kind: ProgressKind,
  stream: Partial<NodeJS.WriteStream> = {},
  records = RECORDS,
  result = FAILED,
): string {
  let text = "";
  const write = (part: string) => {
    text += part;
    return true;
  };
  const progress = openProgress(kind, { ...stream, write } as NodeJS.WriteStream);
  for (const record of records) progress.take(record);
  progress.end(result);
  return text;
}

const WHERE = `------
 > [2/2] RUN make:
0.512 cc -c a.c
------
Dockerfile:3
--------------------
   2 |     COPY a /
   3 | >>> RUN make
--------------------
`;

describe("a build is shown", () => {
  it("as lines, with its steps' numbers, what is cached, times, and where it failed", () => {
    expect(shown("plain")).toBe(`#context
#context DONE 0.1s
WARNING: StageNameCasing: … (line 1)
#1 [1/2] COPY a /
#1 CACHED
#2 [2/2] RUN make
#2 0.512 cc -c a.c
#2 ERROR: process "make" did not complete successfully: exit code: 2
${WHERE}`);
    expect(shown("auto")).toBe(shown("plain"));
  });

  it("not at all, but for where it failed", () => {
    expect(shown("quiet")).toBe(WHERE);
    expect(shown("quiet", {}, RECORDS.slice(0, 5), { ...FAILED, status: "done" })).toBe("");
  });

  it("as the records that came", () => {
    expect(
      shown("rawjson")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual(RECORDS);
  });

  it("as a drawing on a terminal: what has ended stays, and no line is longer than it", () => {
    const drawn = shown("auto", { isTTY: true, columns: 40, rows: 10 });
    expect(drawn).toContain("=> CACHED [1/2] COPY a /");
    expect(drawn).toContain("=> ERROR [2/2] RUN make 0.6s");
    expect(drawn).toContain("WARNING: StageNameCasing");
    expect(drawn).not.toContain("ERROR build");
    for (const line of drawn.split("\n").filter((line) => line.includes("=>")))
      expect(line.replace(/\x1b\[[0-9;]*[A-Za-z]/g, "").length).toBeLessThan(40);
    expect(drawn.endsWith(WHERE)).toBe(true);
  });

  it("in full on a terminal that does not say how large it is", () => {
    const drawn = shown("tty", { isTTY: true, columns: 0, rows: 0 });
    expect(drawn).toContain("=> ERROR [2/2] RUN make 0.6s\n");
  });

  it("in one of these ways", () => {
    expect(() => progressKind("loud")).toThrow("none of auto, plain, tty, rawjson, quiet");
  });
});
