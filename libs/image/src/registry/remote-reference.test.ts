import { describe, expect, it } from "vitest";
import { formatRemote, parseRemoteReference, remoteTarget } from "./remote-reference.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

describe("a reference to a registry", () => {
  it.each([
    ["debian", "docker.io", "library/debian", "latest"],
    ["debian:12", "docker.io", "library/debian", "12"],
    ["grafana/grafana:1", "docker.io", "grafana/grafana", "1"],
    ["index.docker.io/debian", "docker.io", "library/debian", "latest"],
    ["localhost/a", "localhost", "a", "latest"],
    ["localhost:5000/a/b:t", "localhost:5000", "a/b", "t"],
    ["registry.example/a", "registry.example", "a", "latest"],
    ["REGISTRY.example:1/a/b/c:2", "REGISTRY.example:1", "a/b/c", "2"],
    ["host:5000/a", "host:5000", "a", "latest"],
    [`r.example/a@${DIGEST}`, "r.example", "a", DIGEST],
    [`r.example:1/a:t@${DIGEST}`, "r.example:1", "a", DIGEST],
  ])("%s is at %s, in %s, by %s", (text, host, repository, target) => {
    const remote = parseRemoteReference(text);
    expect([remote.host, remote.repository, remoteTarget(remote)]).toEqual([host, repository, target]);
  });

  it("is written whole, with its host, so that it can be read again", () => {
    for (const [text, whole] of [
      ["debian", "docker.io/library/debian:latest"],
      [`r.example:1/a@${DIGEST}`, `r.example:1/a@${DIGEST}`],
      [`r.example:1/a:t@${DIGEST}`, `r.example:1/a:t@${DIGEST}`],
    ] as const) {
      expect(formatRemote(parseRemoteReference(text))).toBe(whole);
      expect(parseRemoteReference(whole)).toEqual(parseRemoteReference(text));
    }
  });

  it.each(["a".repeat(64), "A/b", "a//b", "-a", "r.example/", "", "a:b:c", "a@sha256:1", "user:pass@r.example/a"])(
    "%s is none",
    (text) => {
      expect(() => parseRemoteReference(text)).toThrow(/the image reference/);
    },
  );
});
