import { describe, expect, it } from "vitest";
import { historyOf, lastOf, PATH } from "../../testing/plans.ts";
import type { DockerConfig } from "./config.ts";

/** [what it shows, instructions after FROM base, members of the config] */
const CONFIGS: readonly (readonly [string, string, DockerConfig])[] = [
  ["ENV", "ENV A=1 B='2 3'", { Env: [PATH, "A=1", "B=2 3"] }],
  ["ENV in the old form takes quotes off", 'ENV a "q"', { Env: [PATH, "a=q"] }],
  ["ENV replaces where the name stands", "ENV A=1 B=2\nENV A=3", { Env: [PATH, "A=3", "B=2"] }],
  [
    "ENV sees the variables from before it",
    "ENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc",
    { Env: [PATH, "abc=bye", "def=hello", "ghi=bye"] },
  ],
  ["ENV may name its variable by one", "ENV A=N\nENV ${A}_x=1", { Env: [PATH, "A=N", "N_x=1"] }],
  ["ENV with a PATH that goes on", "ENV PATH=/x:$PATH", { Env: [`PATH=/x:${PATH.slice(5)}`] }],
  ["ARG is no ENV", "ARG A=1", { Env: [PATH] }],
  ["ARG in an ENV", "ARG A=1\nENV B=$A", { Env: [PATH, "B=1"] }],
  ["an ARG after an ENV hides it", "ENV A=env\nARG A=arg\nENV B=$A", { Env: [PATH, "A=env", "B=arg"] }],
  ["an ENV after an ARG hides it", "ARG A=arg\nENV A=env\nENV B=$A", { Env: [PATH, "A=env", "B=env"] }],
  ["an ARG without a value leaves an ENV alone", "ENV A=env\nARG A\nENV B=$A", { Env: [PATH, "A=env", "B=env"] }],
  ["LABEL", 'LABEL a=1 "b c"="d e"\nLABEL a=2', { Labels: { a: "2", "b c": "d e" } }],
  ["LABEL with variables", "ENV V=x\nLABEL l$V=$V", { Labels: { lx: "x" } }],
  ["EXPOSE", "EXPOSE 80 443/TCP 53/udp", { ExposedPorts: { "80/tcp": {}, "443/tcp": {}, "53/udp": {} } }],
  ["EXPOSE a range", "EXPOSE 8000-8002/udp", { ExposedPorts: { "8000/udp": {}, "8001/udp": {}, "8002/udp": {} } }],
  ["EXPOSE with words in a variable", "ENV P='80 81'\nEXPOSE $P", { ExposedPorts: { "80/tcp": {}, "81/tcp": {} } }],
  [
    "EXPOSE with a host's part",
    "EXPOSE 127.0.0.1:8080:80 [::1]:90:90",
    { ExposedPorts: { "80/tcp": {}, "90/tcp": {} } },
  ],
  ["VOLUME", 'VOLUME /a $X/b\nVOLUME ["/c d"]', { Volumes: { "/a": {}, "/b": {}, "/c d": {} } }],
  ["USER", "ARG U=joe\nUSER $U:grp", { User: "joe:grp" }],
  ["STOPSIGNAL", "STOPSIGNAL SIGQUIT", { StopSignal: "SIGQUIT" }],
  ["STOPSIGNAL as System V has it", "STOPSIGNAL SIGCLD", { StopSignal: "SIGCLD" }],
  ["a negative STOPSIGNAL, as Docker has it", "STOPSIGNAL -1", { StopSignal: "-1" }],
  ["STOPSIGNAL as a number from a variable", "ENV S=9\nSTOPSIGNAL $S", { StopSignal: "9" }],
  ["WORKDIR", "WORKDIR /a", { WorkingDir: "/a" }],
  ["a relative WORKDIR goes on", "WORKDIR /a\nWORKDIR b\nWORKDIR ../c/./d", { WorkingDir: "/a/c/d" }],
  ["a first relative WORKDIR begins at the root", "WORKDIR a", { WorkingDir: "/a" }],
  ["an absolute WORKDIR stays as written", "WORKDIR /a/../b/", { WorkingDir: "/a/../b/" }],
  ["WORKDIR with something unset", "WORKDIR /a/$NOBODY", { WorkingDir: "/a/" }],
  ["WORKDIR with quotes", 'WORKDIR "/a b"', { WorkingDir: "/a b" }],
  ["CMD for the shell", "CMD echo  a", { Cmd: ["/bin/sh", "-c", "echo  a"], ArgsEscaped: true }],
  ["CMD is not expanded", "ENV A=1\nCMD echo $A", { Cmd: ["/bin/sh", "-c", "echo $A"] }],
  ["CMD in JSON is not expanded", 'ENV A=1\nCMD ["echo","$A"]', { Cmd: ["echo", "$A"] }],
  [
    "SHELL is for what follows",
    'CMD a\nSHELL ["/bin/bash","-ec"]\nENTRYPOINT b',
    { Cmd: ["/bin/sh", "-c", "a"], Entrypoint: ["/bin/bash", "-ec", "b"], Shell: ["/bin/bash", "-ec"] },
  ],
  ["the last CMD counts", "CMD a\nCMD b", { Cmd: ["/bin/sh", "-c", "b"] }],
  ["CMD before ENTRYPOINT stays", 'CMD a\nENTRYPOINT ["b"]', { Cmd: ["/bin/sh", "-c", "a"], Entrypoint: ["b"] }],
  ["an empty ENTRYPOINT is none", "ENTRYPOINT []", { Entrypoint: null }],
  [
    "HEALTHCHECK",
    "HEALTHCHECK --interval=5s --retries=2 CMD true",
    { Healthcheck: { Test: ["CMD-SHELL", "true"], Interval: 5e9, Retries: 2 } },
  ],
  ["HEALTHCHECK NONE", "HEALTHCHECK CMD true\nHEALTHCHECK NONE", { Healthcheck: { Test: ["NONE"] } }],
  ["ONBUILD", "ONBUILD RUN a\nONBUILD COPY . /x", { OnBuild: ["RUN a", "COPY . /x"] }],
];

/** [what it shows, config of the base, instructions, members of the config] */
const OVER_BASE: readonly (readonly [string, DockerConfig, string, DockerConfig])[] = [
  [
    "everything of the base stays",
    { User: "u", WorkingDir: "/w", Labels: { a: "1" }, Cmd: ["c"], StopSignal: "9" },
    "LABEL b=2",
    { User: "u", WorkingDir: "/w", Labels: { a: "1", b: "2" }, Cmd: ["c"], StopSignal: "9" },
  ],
  ["ENTRYPOINT drops the base's CMD", { Cmd: ["c"] }, 'ENTRYPOINT ["e"]', { Cmd: null, Entrypoint: ["e"] }],
  [
    "CMD keeps the base's ENTRYPOINT",
    { Entrypoint: ["e"], Cmd: ["c"] },
    'CMD ["d"]',
    { Entrypoint: ["e"], Cmd: ["d"] },
  ],
  ["WORKDIR goes on from the base's", { WorkingDir: "/w" }, "WORKDIR a", { WorkingDir: "/w/a" }],
  ["the base's variables are known", { Env: ["A=1"] }, "ENV B=$A", { Env: ["A=1", PATH, "B=1"] }],
  ["the base's shell is used", { Shell: ["/bin/bash", "-c"] }, "CMD a", { Cmd: ["/bin/bash", "-c", "a"] }],
  [
    "the base's HEALTHCHECK stays",
    { Healthcheck: { Test: ["CMD", "x"] } },
    "USER a",
    { Healthcheck: { Test: ["CMD", "x"] } },
  ],
  ["a base without PATH gets one", {}, "USER a", { Env: [PATH] }],
];

/** [instruction, what history says], as BuildKit of Docker 20.10 writes it */
const HISTORY: readonly (readonly [string, string])[] = [
  ["ENV A=1 B='2 3'", "ENV A=1 B=2 3"],
  ["ENV A 1", "ENV A=1"],
  ["LABEL a=b", "LABEL a=b"],
  ["ARG a=b c", "ARG a=b c"],
  ["EXPOSE 443/TCP 80", "EXPOSE map[443/tcp:{} 80/tcp:{}]"],
  ["VOLUME /a /b", "VOLUME [/a /b]"],
  ["USER a", "USER a"],
  ["WORKDIR a", "WORKDIR /a"],
  ["STOPSIGNAL 9", "STOPSIGNAL 9"],
  ["MAINTAINER a <b>", "MAINTAINER a <b>"],
  ['CMD a "b"', 'CMD ["/bin/sh" "-c" "a \\"b\\""]'],
  ["CMD []", "CMD []"],
  ['ENTRYPOINT ["a","b c"]', 'ENTRYPOINT ["a" "b c"]'],
  ['SHELL ["a","b"]', "SHELL [a b]"],
  ["HEALTHCHECK NONE", 'HEALTHCHECK &{["NONE"] "0s" "0s" "0s" \'\\x00\'}'],
  ["HEALTHCHECK --interval=5m --retries=3 CMD a", 'HEALTHCHECK &{["CMD-SHELL" "a"] "5m0s" "0s" "0s" \'\\x03\'}'],
  ["RUN a  b", "RUN /bin/sh -c a  b # buildkit"],
  ['RUN ["a","b"]', "RUN a b # buildkit"],
  ["RUN --network=none a", "RUN /bin/sh -c a # buildkit"],
  ["COPY --chown=a b c /d/", "COPY b c /d/ # buildkit"],
  ["COPY --parents b /d/", "COPY --parents b /d/ # buildkit"],
  ["ADD b /d", "ADD b /d # buildkit"],
  ["COPY <<A <<B /d/\nA\nB", "COPY <<A <<B /d/ # buildkit"],
  ["RUN <<A\nb\nc\nA", "RUN /bin/sh -c b\nc\n # buildkit"],
];

describe("the config that instructions make", () => {
  it.each(CONFIGS)("%s", (_, instructions, expected) => {
    expect(lastOf(`FROM base\n${instructions}`).config).toMatchObject(expected);
  });
  it.each(OVER_BASE)("%s", (_, base, instructions, expected) => {
    expect(lastOf(`FROM base\n${instructions}`, { images: { base } }).config).toMatchObject(expected);
  });
  it.each(HISTORY)("%s is remembered as %s", (instruction, line) => {
    expect(historyOf(`FROM base\n${instruction}`)).toEqual([line]);
  });

  it("of nothing is a path and a folder", () => {
    expect(lastOf("FROM scratch").config).toEqual({ Env: [PATH], WorkingDir: "/" });
  });

  it("steps that make layers are told from those that do not", () => {
    const { history, steps } = lastOf("FROM base\nENV a=b\nRUN c\nWORKDIR /d\nWORKDIR /\nCOPY e /f\nCMD g");
    expect(history.map(({ empty_layer }) => empty_layer ?? false)).toEqual([true, false, false, true, false, true]);
    expect(steps.map(({ kind }) => kind)).toEqual(["run", "workdir", "copy"]);
  });

  it("MAINTAINER is the author", () => expect(lastOf("FROM base\nMAINTAINER a").author).toBe("a"));
  it("ONBUILD leaves no history", () => expect(historyOf("FROM base\nONBUILD RUN a")).toEqual([]));
  it("labels from outside come last", () => {
    expect(lastOf("FROM base\nLABEL a=1 b=1", { labels: { b: "2", c: "3" } }).config.Labels).toEqual({
      a: "1",
      b: "2",
      c: "3",
    });
  });

  it.each([
    ["EXPOSE 80/xyz", "invalid proto: xyz"],
    ["EXPOSE a", "invalid containerPort: a"],
    ["EXPOSE 70000", "invalid containerPort: 70000"],
    ["EXPOSE 90-80", "invalid containerPort: 90-80"],
    ["EXPOSE /tcp", "invalid proto: "],
    ["EXPOSE x:80:80", "invalid IP address: x"],
    ["EXPOSE 1-3:80-81", "invalid ranges specified for container and host Ports: 80-81 and 1-3"],
    ["STOPSIGNAL SIGNOPE", "invalid signal: SIGNOPE"],
    ["STOPSIGNAL 0", "invalid signal: 0"],
    ["STOPSIGNAL $NOBODY", "invalid signal: "],
    ["VOLUME $NOBODY", "VOLUME specified can not be an empty string"],
    ["ENV a=${b", "unsupported modifier"],
    ["ARG a=${b:?say}", "b: say"],
    ["LABEL a='b", "looking for matching single-quote"],
    ["USER ${a:?}", "a: is not allowed to be unset"],
  ])("%s is refused", (instruction, message) => {
    expect(() => lastOf(`FROM base\n${instruction}`)).toThrow(message);
  });
});
