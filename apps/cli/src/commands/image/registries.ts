import { text } from "node:stream/consumers";
import type { TaggedImage } from "@mayfly/contract";
import type { Client } from "../../client.ts";
import { CliError, EXIT } from "../../failure.ts";
import { json, note } from "../../output.ts";
import { follow } from "./follow.ts";
import { imagePath, withJson } from "./path.ts";

export interface RegistryFlags {
  readonly user?: string;
  readonly passwordStdin?: boolean;
  readonly platform?: string;
  readonly insecure?: boolean;
  readonly json?: boolean;
}

/** @returns what it is called here: a name without a registry has found one */
export async function pull(client: Client, reference: string, flags: RegistryFlags): Promise<TaggedImage> {
  const body = { ...(await remoteOf(flags)), ...(flags.platform !== undefined && { platform: flags.platform }) };
  const pulled = await follow<TaggedImage>(client, `${imagePath(reference)}/pull`, withJson("POST", body), flags);
  note(`${pulled.reference} is here: ${pulled.digest}`);
  if (flags.json) json(pulled);
  return pulled;
}

export async function push(client: Client, image: string, to: string | undefined, flags: RegistryFlags): Promise<void> {
  const body = { ...(await remoteOf(flags)), ...(to !== undefined && { to }) };
  const pushed = await follow<TaggedImage>(client, `${imagePath(image)}/push`, withJson("POST", body), flags);
  note(`${pushed.reference} is pushed: ${pushed.digest}`);
  if (flags.json) json(pushed);
}

/** @throws CliError when there is a user and no password */
async function remoteOf(flags: RegistryFlags) {
  const insecure = flags.insecure === true;
  const username = flags.user ?? process.env.MAYFLY_REGISTRY_USER;
  if (!username) return { insecure };
  const password = flags.passwordStdin ? (await text(process.stdin)).trimEnd() : process.env.MAYFLY_REGISTRY_PASSWORD;
  if (password === undefined) {
    throw new CliError(`the registry's user ${username} needs a password`, {
      exit: EXIT.usage,
      hint: "set MAYFLY_REGISTRY_PASSWORD, or give it on standard input with --password-stdin",
    });
  }
  return { insecure, credential: { username, password } };
}
