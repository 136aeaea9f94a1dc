import { describe, expect, it } from "vitest";
import { parseNodes } from "../nodes/parse.ts";
import { DockerfileError } from "../source/failure.ts";
import type { Instruction } from "./instruction.ts";
import { readStages } from "./stages.ts";

const stagesOf = (source: string) => readStages(parseNodes(source));
const second = (line: string) => stagesOf(`FROM x\n${line}`).stages[0]!.instructions[0]!;

/** [instruction, members that it must have] */
const READ: readonly (readonly [string, object])[] = [
  ["ADD a b /c/", { kind: "add", paths: ["a", "b"], destination: "/c/", unpack: null, keep_git_dir: false }],
  ["ADD --unpack=false --checksum=sha256:0 u /c", { unpack: false, checksum: "sha256:0" }],
  ["ADD --unpack --keep-git-dir u /c", { unpack: true, keep_git_dir: true }],
  ["COPY --from=a --chown=1:2 --chmod=755 --link b c", { from: "a", chown: "1:2", chmod: "755", link: true }],
  ["COPY --link=false --parents=TRUE b c", { link: false, parents: true }],
  ["COPY --exclude=*.a --exclude=b . c", { exclude: ["*.a", "b"] }],
  ["COPY <<EOF /c\n\ta $b\nEOF", { paths: [], files: [{ name: "EOF", content: "\ta $b\n", expand: true }] }],
  ["COPY <<-'EOF' a /c/\n\ta\nEOF", { paths: ["a"], files: [{ name: "EOF", content: "a\n", expand: false }] }],
  ["RUN a b", { kind: "run", words: ["a b"], shell: true, network: "default", security: "sandbox", mounts: [] }],
  ['RUN ["a","b"]', { words: ["a", "b"], shell: false }],
  ["RUN --network=none --security=insecure a", { network: "none", security: "insecure" }],
  ["RUN --mount=type=bind,from=b,target=/x --mount=type=tmpfs,target=/y a", { mount_sources: ["b"] }],
  ["RUN --mount=type=cache,target=/x a", { mounts: ["type=cache,target=/x"], mount_sources: [] }],
  ["CMD a", { kind: "cmd", words: ["a"], shell: true }],
  ["CMD []", { words: [], shell: false }],
  ['ENTRYPOINT ["a"]', { kind: "entrypoint", words: ["a"], shell: false }],
  ['SHELL ["/bin/bash", "-c"]', { kind: "shell", shell: ["/bin/bash", "-c"] }],
  ["ENV a b c", { kind: "env", pairs: [{ name: "a", value: "b c", legacy: true }] }],
  [
    "ENV a=b c=",
    {
      pairs: [
        { name: "a", value: "b", legacy: false },
        { name: "c", value: "", legacy: false },
      ],
    },
  ],
  ["LABEL a=b", { kind: "label", pairs: [{ name: "a", value: "b", legacy: false }] }],
  [
    "ARG a b=c d=",
    {
      kind: "arg",
      args: [
        { name: "a", value: null },
        { name: "b", value: "c" },
        { name: "d", value: "" },
      ],
    },
  ],
  ["EXPOSE 90 80", { kind: "expose", ports: ["80", "90"] }],
  ["USER a:b", { kind: "user", user: "a:b" }],
  ["VOLUME /a /b", { kind: "volume", volumes: ["/a", "/b"] }],
  ['VOLUME [" /a "]', { volumes: ["/a"] }],
  ["WORKDIR a b", { kind: "workdir", path: "a b" }],
  ["STOPSIGNAL 9", { kind: "stopsignal", signal: "9" }],
  ["STOPSIGNAL --x SIGKILL", { signal: "SIGKILL" }],
  ["MAINTAINER a <b@c>", { kind: "maintainer", maintainer: "a <b@c>" }],
  ["onbuild  Run a  b", { kind: "onbuild", trigger: "Run a  b" }],
  ["ONBUILD RUN <<EOF\na\nEOF", { trigger: "RUN <<EOF\na\nEOF" }],
  ["HEALTHCHECK NONE", { kind: "healthcheck", healthcheck: expect.objectContaining({ test: ["NONE"] }) }],
  ["HEALTHCHECK cmd a b", { healthcheck: expect.objectContaining({ test: ["CMD-SHELL", "a b"], retries: 0 }) }],
  [
    'HEALTHCHECK --interval=1m30s --timeout=1.5s --start-period=0 --start-interval=5ms --retries=3 CMD ["a"]',
    {
      healthcheck: {
        test: ["CMD", "a"],
        interval: 90e9,
        timeout: 1.5e9,
        start_period: 0,
        start_interval: 5e6,
        retries: 3,
      },
    },
  ],
];

/** [instruction, what is said] */
const REFUSED: readonly (readonly [string, string])[] = [
  ["FOO a", "unknown instruction: FOO"],
  ["RNU a", "unknown instruction: RNU (did you mean RUN?)"],
  ["coppy a", "unknown instruction: coppy (did you mean copy?)"],
  ["COPY a", "COPY requires at least two arguments, but only one was provided. Destination could not be determined"],
  ["ADD", "ADD requires at least two arguments"],
  ["COPY --form=a b c", "unknown flag: --form (did you mean from?)"],
  ["COPY --zzz=a b c", "unknown flag: --zzz"],
  ["COPY --from b c", "missing a value on flag: --from"],
  ["COPY --from=a --from=b c d", "duplicate flag specified: --from"],
  ["COPY --link= c d", "missing a value on flag: --link"],
  ["COPY --link=maybe c d", "expecting boolean value for flag --link, not: maybe"],
  ["COPY --keep-git-dir c d", "unknown flag: --keep-git-dir"],
  ["COPY a <<EOF\nEOF", "COPY cannot accept a heredoc as a destination"],
  ["ADD --from=a b c", "unknown flag: --from"],
  ["ENV", "ENV requires at least one argument"],
  ["ENV =b", "ENV names can not be blank"],
  ["ENV --x a=b", "unknown flag: --x"],
  ["LABEL", "LABEL requires at least one argument"],
  ["LABEL =b", "LABEL names can not be blank"],
  ["ARG", "ARG requires at least one argument"],
  ["ARG =b", "ARG names can not be blank"],
  ["FROM", "FROM requires either one or three arguments"],
  ["FROM a b", "FROM requires either one or three arguments"],
  ["FROM a AS", "FROM requires either one or three arguments"],
  ["FROM a IS b", "FROM requires either one or three arguments"],
  ["FROM a AS 1b", 'invalid name for build stage: "1b", name can\'t start with a number or contain symbols'],
  ["FROM a AS b/c", "invalid name for build stage"],
  ["FROM --x=y a", "unknown flag: --x"],
  ["WORKDIR", "WORKDIR requires exactly one argument"],
  ["USER", "USER requires exactly one argument"],
  ["STOPSIGNAL", "STOPSIGNAL requires exactly one argument"],
  ["MAINTAINER", "MAINTAINER requires exactly one argument"],
  ["EXPOSE", "EXPOSE requires at least one argument"],
  ["VOLUME", "VOLUME requires at least one argument"],
  ['VOLUME ["a", " "]', "VOLUME specified can not be an empty string"],
  ["SHELL", "SHELL requires at least one argument"],
  ["SHELL []", "SHELL requires at least one argument"],
  ["SHELL bash -c", "SHELL requires the arguments to be in JSON form"],
  ["CMD --help", "unknown flag: --help"],
  ["ENTRYPOINT --x a", "unknown flag: --x"],
  ["RUN --mout=a b", "unknown flag: --mout (did you mean mount?)"],
  ["RUN --network=nne a", 'invalid network mode "nne" (did you mean none?)'],
  ["RUN --security=x a", 'security "x" is not valid'],
  ["RUN --mount=type=bind,from=$x,target=/a b", "'from' doesn't support variable expansion"],
  ["ONBUILD", "ONBUILD requires at least one argument"],
  ["ONBUILD ONBUILD RUN a", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
  ["ONBUILD FROM a", "FROM isn't allowed as an ONBUILD trigger"],
  ["ONBUILD maintainer a", "MAINTAINER isn't allowed as an ONBUILD trigger"],
  ["HEALTHCHECK", "HEALTHCHECK requires at least one argument"],
  ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
  ["HEALTHCHECK NONE a", "HEALTHCHECK NONE takes no arguments"],
  ["HEALTHCHECK RUN a", 'Unknown type "RUN" in HEALTHCHECK (try CMD)'],
  ["HEALTHCHECK --interval=1us CMD a", 'Interval "interval" cannot be less than 1ms'],
  ["HEALTHCHECK --interval=-1s CMD a", 'Interval "interval" cannot be less than 1ms'],
  ["HEALTHCHECK --timeout=5 CMD a", 'time: missing unit in duration "5"'],
  ["HEALTHCHECK --timeout=5x CMD a", 'time: unknown unit "x" in duration "5x"'],
  ["HEALTHCHECK --retries=-1 CMD a", "--retries cannot be negative (-1)"],
  ["HEALTHCHECK --retries=x CMD a", 'strconv.ParseInt: parsing "x": invalid syntax'],
  ["HEALTHCHECK --retry=1 CMD a", "unknown flag: --retry"],
];

describe("instructions", () => {
  it.each(READ)("%s is read", (line, expected) => expect(second(line)).toMatchObject(expected));

  it.each(REFUSED)("%s is refused, on its line", (line, message) => {
    const read = () => stagesOf(`FROM x\n\n${line}\nUSER y`);
    expect(read).toThrow(DockerfileError);
    expect(read).toThrow(`dockerfile parse error on line 3: ${message}`);
  });

  it("a flag that is wrong is pointed at", () => {
    try {
      stagesOf("FROM x\nCOPY --link \\\n  --form=a b c");
      expect.unreachable();
    } catch (error) {
      expect((error as DockerfileError).range).toEqual({ start: { line: 3, column: 3 }, end: { line: 3, column: 11 } });
      expect((error as DockerfileError).message).toContain("on line 2");
    }
  });

  it("ARGs before the first FROM are global, the rest belongs to stages", () => {
    const { globals, stages } = stagesOf("ARG a=1\nARG b\nFROM x AS One\nARG c\nFROM y\nRUN d");
    expect(globals.flatMap(({ args }) => args.map(({ name }) => name))).toEqual(["a", "b"]);
    expect(stages.map(({ from, instructions }) => [from.base, from.stage, instructions.length])).toEqual([
      ["x", "one", 1],
      ["y", "", 1],
    ]);
  });

  it.each([
    ["RUN before FROM", "RUN a\nFROM x", "no build stage in current context"],
    ["no FROM at all", "ARG a", "dockerfile contains no stages to build"],
  ])("%s", (_, source, message) => expect(() => stagesOf(source)).toThrow(message));

  it("keeps the code as it was written, continuations joined", () => {
    const { code } = second("run --network=none \\\n  a   b ") as Instruction;
    expect(code).toBe("run --network=none   a   b");
  });
});
