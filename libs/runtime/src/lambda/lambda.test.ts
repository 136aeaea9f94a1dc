import { describe, expect, it } from "vitest";
import { lambdaAnswer, preludeHead } from "./answer.ts";
import { type EventInput, lambdaEvent } from "./event.ts";

const event = (head: Partial<EventInput["head"]>, body: Uint8Array | string = "") =>
  lambdaEvent({
    head: { method: "POST", target: "/", headers: [], origin: "http://fn.test:8080", ...head },
    body: Buffer.from(body),
    function: "hello",
    invocation: "inv_1",
    epoch_ms: Date.UTC(2020, 2, 12, 19, 3, 58, 390),
  });

describe("a request as a Lambda event (payload format 2.0)", () => {
  it("has path and query as they came, several of one name joined, cookies apart", () => {
    const headers: [string, string][] = [
      ...([
        ["host", "h.example:1"],
        ["x-a", "1"],
        ["x-a", "2"],
        ["cookie", "a=1; b=2"],
      ] as [string, string][]),
      ...([
        ["cookie", "c=3"],
        ["user-agent", "me"],
        ["x-forwarded-for", "1.2.3.4, 5.6.7.8"],
        ["__proto__", "x"],
      ] as [string, string][]),
    ];
    const found = event({ target: "/a%20b/..;c?p=1&p=2&q=%C3%A9", headers });
    expect(found).toMatchObject({
      ...{ version: "2.0", routeKey: "$default", rawPath: "/a%20b/..;c", rawQueryString: "p=1&p=2&q=%C3%A9" },
      ...{ cookies: ["a=1", "b=2", "c=3"], queryStringParameters: { p: "1,2", q: "é" } },
      requestContext: {
        ...{ domainName: "h.example:1", domainPrefix: "h", requestId: "inv_1", apiId: "hello" },
        ...{ time: "12/Mar/2020:19:03:58 +0000", timeEpoch: 1584039838390 },
        http: { method: "POST", path: "/a%20b/..;c", sourceIp: "5.6.7.8", userAgent: "me" },
      },
    });
    expect(found.headers["x-a"]).toBe("1,2");
    expect(found.headers).not.toHaveProperty("cookie");
    expect(Object.getPrototypeOf(found.headers)).toBe(Object.prototype);
  });

  it.each([
    ["application/json; charset=utf-8", '{"é":1}', '{"é":1}', false],
    ["application/ld+json", "{}", "{}", false],
    ["text/plain", Buffer.from([0xff]), "/w==", true],
    ["application/octet-stream", "abc", "YWJj", true],
    ["application/x-www-form-urlencoded", "a=b", "YT1i", true],
  ])("has a body of %s so that no byte is lost", (type, body, text, isBase64Encoded) => {
    expect(event({ headers: [["content-type", type]] }, body)).toMatchObject({ body: text, isBase64Encoded });
  });
  it("has no body, cookies or parameters where there are none", () => {
    expect(event({})).not.toHaveProperty("body");
    expect(event({})).not.toHaveProperty("cookies");
    expect(event({})).not.toHaveProperty("queryStringParameters");
  });
});

describe("what a Lambda handler returns", () => {
  const answer = (value: unknown) => {
    const { head, body } = lambdaAnswer(value);
    return [head.status, head.headers, Buffer.from(body).toString("latin1")];
  };
  const JSON_TYPE = ["content-type", "application/json"];
  it.each([
    ["a value", { a: 1 }, [200, [JSON_TYPE], '{"a":1}']],
    ["a text", "x", [200, [JSON_TYPE], '"x"']],
    ["nothing", undefined, [200, [JSON_TYPE], "null"]],
    ["status and body", { statusCode: 201, body: "b" }, [201, [JSON_TYPE], "b"]],
    ["a status as text", { statusCode: "404" }, [404, [JSON_TYPE], ""]],
    [
      "headers and cookies",
      { statusCode: 200, headers: { "Content-Type": "text/html", "X-N": 1 }, cookies: ["a=1", "b=2"] },
      [
        200,
        [
          ["content-type", "text/html"],
          ["x-n", "1"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
        ],
        "",
      ],
    ],
    ["Base64", { statusCode: 200, body: "AP8=", isBase64Encoded: true }, [200, [JSON_TYPE], "\x00\xff"]],
    ["a body where none may be", { statusCode: 204, body: "x" }, [204, [JSON_TYPE], ""]],
  ])("%s is an answer", (_, value, expected) => {
    expect(answer(value)).toEqual(expected);
  });

  it.each([
    ["a status that is none", { statusCode: 99 }, /statusCode is 99/],
    ["a body that is no text", { statusCode: 200, body: {} }, /body is of type object.*JSON\.stringify/],
    ["headers as a list", { statusCode: 200, headers: [] }, /headers is an array/],
    ["a header's name", { statusCode: 200, headers: { "a b": "c" } }, /"a b"/],
    ["a header that splits the answer", { statusCode: 200, headers: { a: "b\r\nc: d" } }, /the header a holds/],
    ["cookies as text", { statusCode: 200, cookies: "a=1" }, /cookies must be an array/],
  ])("%s is told", (_, value, message) => {
    expect(() => lambdaAnswer(value)).toThrow(message);
  });

  it("a prelude of a stream may say nothing", () => {
    expect(preludeHead({}, "a/b")).toEqual({ status: 200, headers: [["content-type", "a/b"]] });
  });
});
