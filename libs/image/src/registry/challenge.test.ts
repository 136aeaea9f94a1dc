import { describe, expect, it } from "vitest";
import { parseChallenges } from "./challenge.ts";

const read = (header: string) =>
  parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)]);

describe("a WWW-Authenticate header", () => {
  it.each<[string, string, unknown]>([
    ["nothing", "", []],
    ["Basic", 'Basic realm="mayfly"', [["basic", { realm: "mayfly" }]]],
    [
      "Docker Hub's",
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
      [
        [
          "bearer",
          { realm: "https://auth.docker.io/token", service: "registry.docker.io", scope: "repository:a/b:pull,push" },
        ],
      ],
    ],
    [
      "a token for a value, blanks around",
      "Bearer  Realm = x , error=insufficient_scope",
      [["bearer", { realm: "x", error: "insufficient_scope" }]],
    ],
    ["an escaped quote", String.raw`Basic realm="a \"b\" \\ c"`, [["basic", { realm: String.raw`a "b" \ c` }]]],
    [
      "two challenges",
      'Basic realm="a", Bearer realm="b",service="c"',
      [
        ["basic", { realm: "a" }],
        ["bearer", { realm: "b", service: "c" }],
      ],
    ],
    [
      "an opaque value before another",
      "Negotiate YWJj==, Basic realm=x",
      [
        ["negotiate", {}],
        ["basic", { realm: "x" }],
      ],
    ],
    [
      "a scheme alone",
      "Negotiate, Basic",
      [
        ["negotiate", {}],
        ["basic", {}],
      ],
    ],
    ["what breaks off", 'Bearer realm="a",service="b', [["bearer", { realm: "a" }]]],
    ["nonsense", '="x', []],
  ])("with %s", (_, header, expected) => {
    expect(read(header)).toEqual(expected);
  });
});
