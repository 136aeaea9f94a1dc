import type { Command } from "commander";
import { CliError, EXIT } from "../failure.ts";
import { note } from "../output.ts";

type Flag = readonly [flags: string, instead: string];

const NONE_SET = "RUN has fixed limits here, which mayfly's GET /v1/limits shows; leave the flag away";
const STAYS = "the image stays on the server under its tags";

/** Flags of `docker build` that have no meaning here, each with what to do instead. */
const REFUSED: readonly Flag[] = [
  ["-o, --output <spec>", `${STAYS}: mayfly image export NAME for its files, mayfly image save NAME for an archive`],
  ["--push", `${STAYS}: push it with mayfly image push NAME`],
  ["--ulimit <limit>", `${NONE_SET}, or call ulimit in the RUN`],
  ["--shm-size <bytes>", "mount what the RUN needs: RUN --mount=type=tmpfs,target=/dev/shm/big,size=512m"],
  ["-m, --memory <bytes>", NONE_SET],
  ["--memory-swap <bytes>", NONE_SET],
  ["-c, --cpu-shares <n>", NONE_SET],
  ["--cpu-period <n>", NONE_SET],
  ["--cpu-quota <n>", NONE_SET],
  ["--cpuset-cpus <list>", NONE_SET],
  ["--cpuset-mems <list>", NONE_SET],
  ["--cgroup-parent <path>", NONE_SET],
  ["--security-opt <option>", "programs of a build have no more rights than others; leave the flag away"],
  ["--allow <what>", "programs of a build have no more rights than others; leave the flag away"],
  ["--isolation <kind>", "each RUN is in a box of its own; leave the flag away"],
  [
    "--ssh <agent>",
    "no agent is forwarded: give a key with --secret id=key,src=FILE and RUN --mount=type=secret,id=key",
  ],
  ["--squash", "layers stay as they are made: mayfly image export NAME | mayfly image import - NAME makes one of them"],
  [
    "--build-context <name=where>",
    "COPY --from takes a stage or an image: build what is there as an image of that name",
  ],
  [
    "--no-cache-filter <stages>",
    "--no-cache uses nothing that was made before; of single stages there is no such thing",
  ],
  ["--annotation <name=value>", "images are made without annotations: --label is kept in the config"],
  ["--call <method>", "warnings are told while it builds"],
  ["--check", "warnings are told while it builds; # check=error=true in the Dockerfile makes failures of them"],
];

/** What a builder may not be able to do, and then does without. */
const PASSED_OVER: readonly Flag[] = [
  ["--cache-from <source>", "builds share the server's own cache, and nothing is brought to it"],
  ["--builder <name>", "the server builds"],
  ["--cache-to <target>", "builds share the server's own cache, and nothing is sent from it"],
];

/** How it always is here. */
const ALWAYS = ["--rm", "--force-rm", "--compress", "--load"] as const;

/** Attestations: there are none, which is what `false` asks for. */
const ATTESTED = ["--provenance", "--sbom", "--attest"] as const;
const NO = /^(false|0|type=\w+,disabled=true)$/;

/** Takes the flags that people who know `docker build` type, and shows none of them in the help. */
export function addDockersFlags(command: Command): void {
  for (const [flags, instead] of REFUSED) {
    hidden(command, flags, (name) => {
      throw new CliError(`${name} is not possible here`, { exit: EXIT.usage, hint: instead });
    });
  }
  for (const [flags, why] of PASSED_OVER)
    hidden(command, flags, (name) => note(`WARNING: ${name} is passed over: ${why}`));
  for (const flag of ALWAYS) hidden(command, flag, () => {});
  for (const flag of ATTESTED)
    hidden(command, `${flag} <what>`, (name, value) => {
      if (NO.test(value)) return;
      throw new CliError(`${name} ${value} is not possible here`, {
        exit: EXIT.usage,
        hint: `images are made without attestations; leave the flag away, or write ${name}=false`,
      });
    });
}

function hidden(command: Command, flags: string, taken: (name: string, value: string) => void): void {
  const option = command.createOption(flags).hideHelp();
  command.addOption(option).on(`option:${option.name()}`, (value: string) => taken(option.long!, value));
}
