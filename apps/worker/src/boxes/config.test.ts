import { BoxWanted } from "@mayfly/contract";
import type { OciConfig } from "@mayfly/image";
import { describe, expect, it } from "vitest";
import { configOf } from "./config.ts";

const IMAGE: Partial<OciConfig> = {
  ...{ Env: ["PATH=/bin", "A=image"], Entrypoint: ["/entry"], Cmd: ["default"], WorkingDir: "/srv", User: "app" },
  ...{ ExposedPorts: { "80/tcp": {} }, Volumes: { "/data": {} }, Labels: { a: "b" }, StopSignal: "SIGQUIT" },
};
const wanted = (given: object) => BoxWanted.parse({ image: "app", ...given });

/** What Docker 20.10 makes of the same image and `docker create` with these flags, by `docker inspect -f '{{json .Config}}'`. */
describe("the configuration of a box", () => {
  it("is the image's when nothing was said, and limits, names and volumes are no part of it", () => {
    expect(configOf(wanted({}), IMAGE)).toEqual(IMAGE);
    const besides = { name: "n", hostname: "h", memory_bytes: 1 << 28, network: "egress", terminal: true };
    const volumes = [{ source: "/srv", target: "/more" }];
    expect(configOf(wanted({ ...besides, volumes }), IMAGE)).toEqual(IMAGE);
    expect(configOf(wanted({}), {})).toEqual({});
  });

  it.each<[string, object, Partial<OciConfig>]>([
    ["-e", { env: { B: "run", A: "x=y" } }, { Env: ["B=run", "A=x=y", "PATH=/bin"] }],
    ["-w", { cwd: "/tmp" }, { WorkingDir: "/tmp" }],
    ["-u", { user: "0:0" }, { User: "0:0" }],
    ["a command", { command: ["other"] }, { Cmd: ["other"] }],
    ["--entrypoint", { entrypoint: ["/bin/sh"] }, { Entrypoint: ["/bin/sh"], Cmd: undefined }],
    [
      "--entrypoint and a command",
      { entrypoint: ["/bin/sh"], command: ["-c", "x"] },
      { Entrypoint: ["/bin/sh"], Cmd: ["-c", "x"] },
    ],
    ["--entrypoint '' and a command", { entrypoint: [""], command: ["x"] }, { Entrypoint: undefined, Cmd: ["x"] }],
  ])("with %s has that in the place of the image's", (_, given, expected) => {
    expect(configOf(wanted(given), IMAGE)).toEqual({ ...IMAGE, ...expected });
  });
});
