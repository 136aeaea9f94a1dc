import { describe, expect, it } from "vitest";
import type { OciConfig } from "../oci.ts";
import { applyChanges } from "./change.ts";

const BASE: Partial<OciConfig> = {
  Env: ["PATH=/usr/bin", "HOME=/root", "EMPTY="],
  Cmd: ["/bin/old"],
  WorkingDir: "/srv",
  Labels: { a: "1" },
  ExposedPorts: { "22/tcp": {} },
};

describe("a change", () => {
  it.each<[string, string[], Partial<OciConfig>]>([
    ["CMD as a list", ['CMD ["/bin/x", "a b"]'], { Cmd: ["/bin/x", "a b"] }],
    ["CMD for the shell", ["cmd echo $HOME 'x'"], { Cmd: ["/bin/sh", "-c", "echo $HOME 'x'"] }],
    ["CMD in brackets that are no list", ["CMD ['x']"], { Cmd: ["/bin/sh", "-c", "['x']"] }],
    ["CMD of nothing", ["CMD []"], { Cmd: [] }],
    ["ENTRYPOINT, which drops the old command", ['ENTRYPOINT ["/e"]'], { Entrypoint: ["/e"], Cmd: undefined as never }],
    [
      "ENTRYPOINT behind a new command",
      ['CMD ["c"]', "ENTRYPOINT /e"],
      { Entrypoint: ["/bin/sh", "-c", "/e"], Cmd: ["c"] },
    ],
    ["ENV", ['ENV A=1 B="2 3" PATH=/x:$PATH'], { Env: ["PATH=/x:/usr/bin", "HOME=/root", "EMPTY=", "A=1", "B=2 3"] }],
    ["ENV in the old form", ["ENV A b  c"], { Env: [...BASE.Env!, "A=b c"] }],
    [
      "ENV with the values of before",
      ["ENV HOME=/x A=$HOME"],
      { Env: ["PATH=/usr/bin", "HOME=/x", "EMPTY=", "A=/root"] },
    ],
    [
      "ENV with defaults",
      ["ENV A=${NO:-d}${EMPTY:-e}${HOME:+f}${NO:+g}${HOME}"],
      { Env: [...BASE.Env!, "A=def/root"] },
    ],
    [
      "ENV with quotes and escapes",
      [`ENV A='$HOME' B="\\$HOME \\x" C=\\$HOME\\ y D=$`],
      { Env: [...BASE.Env!, "A=$HOME", "B=$HOME \\x", "C=$HOME y", "D=$"] },
    ],
    ["LABEL", ["LABEL b=2 \"c d\"='e f'"], { Labels: { a: "1", b: "2", "c d": "e f" } }],
    [
      "EXPOSE",
      ["EXPOSE 80 53/UDP 8000-8002"],
      { ExposedPorts: { "22/tcp": {}, "80/tcp": {}, "53/udp": {}, "8000/tcp": {}, "8001/tcp": {}, "8002/tcp": {} } },
    ],
    ["VOLUME as words", ["VOLUME /a $HOME/b"], { Volumes: { "/a": {}, "/root/b": {} } }],
    ["VOLUME as a list", ['VOLUME ["/a b"]'], { Volumes: { "/a b": {} } }],
    ["USER", ["USER 1000:1000"], { User: "1000:1000" }],
    ["WORKDIR below the old one", ["WORKDIR app/../lib", "WORKDIR x"], { WorkingDir: "/srv/lib/x" }],
    ["WORKDIR from the root", ["WORKDIR /a/../../b/"], { WorkingDir: "/b" }],
    ["STOPSIGNAL", ["STOPSIGNAL SIGRTMIN+3"], { StopSignal: "SIGRTMIN+3" }],
    ["ONBUILD", ["ONBUILD RUN make", "ONBUILD COPY . /x"], { OnBuild: ["RUN make", "COPY . /x"] }],
  ])("of %s", (_, changes, expected) => {
    const wanted = { ...BASE, ...expected };
    if ("Cmd" in expected && expected.Cmd === undefined) delete (wanted as { Cmd?: unknown }).Cmd;
    expect(applyChanges(BASE, changes)).toEqual(wanted);
  });

  it.each([
    ["", "only CMD"],
    ["RUN make", "only CMD, ENTRYPOINT"],
    ["CMD", "CMD needs a value"],
    ["CMD [1]", "strings only"],
    ["ENV A", "A needs a value"],
    ["ENV A=1 B", "like NAME=value"],
    ["ENV =1", "like NAME=value"],
    ["ENV A='1", "no end"],
    ['ENV A="1', "no end"],
    ["ENV A=${HOME", "is no form"],
    ["ENV A=${HOME:=x}", "is no form"],
    ["ENV A=${}", "is no form"],
    ["EXPOSE http", "is no port"],
    ["EXPOSE 0", "is no port"],
    ["EXPOSE 70000", "is no port"],
    ["EXPOSE 90-80", "is no port"],
    ["EXPOSE 1-60000", "more than 1024"],
    ["USER a b", "one word"],
    ["STOPSIGNAL -9", "is no signal"],
    ["ONBUILD ONBUILD RUN x", "cannot be left"],
    ["ONBUILD FROM x", "cannot be left"],
    ['VOLUME [""]', "needs a path"],
  ])("%j is refused, saying why", (change, why) => {
    expect(() => applyChanges(BASE, [change])).toThrow(
      expect.objectContaining({ reason: "refused", message: expect.stringContaining(why) }),
    );
  });
});
