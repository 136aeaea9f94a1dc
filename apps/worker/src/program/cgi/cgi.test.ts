import type { InvokeJob } from "@mayfly/contract";
import { describe, expect, it } from "vitest";
import { metaVariables } from "./meta-variables.ts";
import { LONGEST_HEAD_BYTES, readHead } from "./response.ts";

const variables = (head: Partial<InvokeJob["head"]>) =>
  metaVariables({ head: { method: "GET", target: "/", headers: [], origin: "http://example.test:8080", ...head } });

describe("a CGI program has its request in its environment", () => {
  it("path and query apart, the path decoded", () => {
    expect(variables({ target: "/a%20b/c?d=e&f=%20" })).toMatchObject({
      ...{ REQUEST_METHOD: "GET", PATH_INFO: "/a b/c", QUERY_STRING: "d=e&f=%20", REQUEST_URI: "/a%20b/c?d=e&f=%20" },
      ...{ GATEWAY_INTERFACE: "CGI/1.1", SERVER_NAME: "example.test", SERVER_PORT: "8080" },
    });
    expect(variables({ target: "/%zz" })).toMatchObject({ PATH_INFO: "/%zz", QUERY_STRING: "" });
    expect(variables({ target: "/%00" })).toMatchObject({ PATH_INFO: "/%00" });
  });
  it("headers in HTTP_ names, but those that have a name of their own or could be taken for another thing", () => {
    const headers = [
      ...[
        ["content-type", "a/b"],
        ["content-length", "3"],
        ["proxy", "http://evil"],
        ["x-one", "1"],
        ["x-one", "2"],
      ],
      ...[
        ["cookie", "a=1"],
        ["cookie", "b=2"],
        ["bad_name", "x"],
        ["x-forwarded-for", "1.2.3.4, 5.6.7.8"],
      ],
    ] as [string, string][];
    const found = variables({ headers });
    expect(found).toMatchObject({
      CONTENT_TYPE: "a/b",
      CONTENT_LENGTH: "3",
      HTTP_X_ONE: "1, 2",
      HTTP_COOKIE: "a=1; b=2",
      REMOTE_ADDR: "5.6.7.8",
    });
    for (const name of ["HTTP_PROXY", "HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH", "HTTP_BAD_NAME"])
      expect(found).not.toHaveProperty(name);
  });
});

describe("what a CGI program wrote", () => {
  const read = (text: string, isAll = true) => readHead(Buffer.from(text, "latin1"), isAll);
  const plain = { status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] };
  it.each([
    [
      "headers and a body",
      "Content-Type: text/html\n\nbody",
      { status: 200, headers: [["content-type", "text/html"]] },
      25,
    ],
    ["with CRLF", "A: b\r\n\r\nbody", { status: 200, headers: [["a", "b"]] }, 8],
    ["with a status", "Status: 404 Not Found\nA: b\n\n", { status: 404, headers: [["a", "b"]] }, 28],
    ["a redirect", "Location: /x\n\n", { status: 302, headers: [["location", "/x"]] }, 14],
    ["a body alone", "hello\nworld", plain, 0],
    ["a body without a line", "hello", plain, 0],
    ["nothing", "", plain, 0],
    ["a body that begins with an empty line", "\nhello: x\n", plain, 0],
  ])("is read: %s", (_, text, head, bodyAt) => {
    expect(read(text)).toEqual({ head, bodyAt });
  });
  it("is waited for until it can be told", () => {
    for (const part of ["", "Conte", "A: b\n", "A: b\nC: d\n"]) expect(read(part, false)).toBeNull();
  });
  it.each([
    ["A: b\nno header\n\n", "no header"],
    ["A: b\n", "no end"],
    ["Status: 99\n\n", "no number from 200 to 599"],
    ["Status: x\n\n", "no number from 200 to 599"],
    [`A: b\n${"B: c\n".repeat(LONGEST_HEAD_BYTES / 4)}`, "no end|over"],
  ])("is refused: %j", (text, why) => {
    expect(() => read(text)).toThrow(new RegExp(why));
  });
});
