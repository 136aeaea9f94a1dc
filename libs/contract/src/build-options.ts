import { isIP } from "node:net";
import { z } from "zod";
import { BadSetting } from "./settings.ts";

const RUN_NETWORKS = ["default", "none"] as const;

/** What a build is asked for besides its settings: no version keeps it. */
export const BuildOptions = z.object({
  /** Names for the image in the store: `name:tag`. */
  tags: z.array(z.string()).readonly().default([]),
  /** Nothing that was made before is used. */
  no_cache: z.boolean().default(false),
  /** Registries are asked for the images it goes on from, though they are here. */
  pull: z.boolean().default(false),
  /** `os/arch[/variant]` that the image is to be for; null: the worker's own. */
  platform: z.string().nullable().default(null),
  /** Of every RUN that does not say another. */
  run_network: z.enum(RUN_NETWORKS).default("default"),
  /** Lines that the /etc/hosts of every RUN has besides its own: `1.2.3.4\tname`. */
  hosts: z.array(z.string()).readonly().default([]),
  /** Ids of its secrets. Their values go over the channel and are written nowhere. */
  secrets: z.array(z.string()).readonly().default([]),
});
export type BuildOptions = z.infer<typeof BuildOptions>;

export const NO_BUILD_OPTIONS = BuildOptions.parse({});

const MOST_TAGS = 32;
/** `[host[:port]/]name[:tag]`; what else is wrong with one the worker says. */
const TAG = /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,254}$/;
const PLATFORM = /^[A-Za-z0-9_-]+(\/[A-Za-z0-9_.-]+){0,2}$/;
const SECRET_ID = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;

/** Of query parameters (others are passed over), and the ids of the secrets that came along. @throws BadSetting */
export function parseBuildOptions(
  pairs: Iterable<readonly [string, string | null]>,
  secrets: Iterable<string>,
): BuildOptions {
  const tags: string[] = [];
  let [no_cache, pull] = [false, false];
  let platform: string | null = null;
  let run_network: BuildOptions["run_network"] = "default";
  const hosts: string[] = [];
  for (const [name, value] of pairs) {
    if (name === "add-host") hosts.push(checkedHost(value ?? ""));
    if (name === "t") tags.push(...(value ?? "").split(",").map(checkedTag));
    if (name === "no-cache") no_cache = checkedSwitch(name, value);
    if (name === "pull") pull = checkedSwitch(name, value);
    if (name === "platform") platform = checkedPlatform(value);
    if (name === "run-network") run_network = checkedNetwork(value);
  }
  if (tags.length > MOST_TAGS) throw new BadSetting("t", `${tags.length} tags; an image gets at most ${MOST_TAGS}`);
  const common = { no_cache, pull, platform, run_network, hosts };
  return { tags: [...new Set(tags)], ...common, secrets: [...secrets].map(checkedSecretId) };
}

function checkedTag(text: string): string {
  if (TAG.test(text)) return text;
  throw new BadSetting("t", `${JSON.stringify(text)} is no name of an image; write it like web:1`);
}

function checkedSwitch(name: string, value: string | null): boolean {
  if (value === "" || value === "true" || value === "1") return true;
  if (value === null || value === "false" || value === "0") return false;
  throw new BadSetting(name, `${JSON.stringify(value)} is neither true nor false`);
}

function checkedPlatform(text: string | null): string | null {
  if (text === null || text === "") return null;
  if (PLATFORM.test(text)) return text;
  const why = text.includes(",") ? "an image is built for one platform at a time" : "write it like linux/amd64";
  throw new BadSetting("platform", `${JSON.stringify(text)}: ${why}`);
}

function checkedNetwork(text: string | null): BuildOptions["run_network"] {
  const network = RUN_NETWORKS.find((one) => one === (text || "default"));
  if (network) return network;
  throw new BadSetting(
    "run-network",
    `${JSON.stringify(text)} is none of ${RUN_NETWORKS.join(", ")}: programs of a build have a network of their own, or none`,
  );
}

/** `name:address`, or `name=address`, as Docker has it. */
function checkedHost(text: string): string {
  const [, name = "", bare = ""] = /^([A-Za-z0-9][A-Za-z0-9._-]{0,252})[:=](.+)$/.exec(text) ?? [];
  const address = bare.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0) return `${address}\t${name}`;
  throw new BadSetting("add-host", `${JSON.stringify(text)} is no name and address; write it like db:192.0.2.7`);
}

function checkedSecretId(id: string): string {
  if (SECRET_ID.test(id)) return id;
  throw new BadSetting(`secret.${id}`, "an id is letters, digits and '._-', at most 128 of them");
}

/** Gateway → worker, RECORD behind GO of a build that has secrets: id → base64. */
export const BuildSecrets = z.record(z.string(), z.base64());
export type BuildSecrets = z.infer<typeof BuildSecrets>;
