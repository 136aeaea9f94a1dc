import type { Command } from "commander";
import type { Client } from "../../client.ts";
import { collect } from "../../flags/pair.ts";
import { exportRoot, importRoot, load, save } from "./archives.ts";
import { history, inspect, log, ls, rm, rollback, tag } from "./names.ts";
import { pull, push } from "./registries.ts";
import { fsck, gc } from "./upkeep.ts";

/** `mayfly image …` */
export function addImageCommands(program: Command, client: () => Client): void {
  const image = program.command("image").description("images: list, move, keep, check");
  const command = (usage: string, description: string) =>
    image.command(usage).description(description).option("--json", "as JSON");
  const registry = (usage: string, description: string) =>
    command(usage, description)
      .option("--user <name>", "user at the registry (default MAYFLY_REGISTRY_USER)")
      .option("--password-stdin", "its password from standard input (default MAYFLY_REGISTRY_PASSWORD)")
      .option("--insecure", "plain HTTP, also to another host");

  command("ls", "images by their names").action((flags) => ls(client(), flags));
  command("inspect <image>", "an image, as JSON").action((reference: string) => inspect(client(), reference));
  command("history <image>", "how an image came to be, the latest step first").action((reference: string, flags) =>
    history(client(), reference, flags),
  );
  command("tag <image> <name>", "give an image a name, or a name another image").action(
    (reference: string, name: string, flags) => tag(client(), reference, name, flags),
  );
  command("log <name>", "what a name stood for, the latest first").action((name: string, flags) =>
    log(client(), name, flags),
  );
  command("rollback <name> [digest]", "make a name stand for what it stood for before").action(
    (name: string, digest: string | undefined, flags) => rollback(client(), name, digest, flags),
  );
  command("rm <names...>", "remove names; gc frees what nothing else needs").action((names: string[], flags) =>
    rm(client(), names, flags),
  );
  image
    .command("save <images...>")
    .description("images with all their layers, as one archive")
    .option("-o, --output <file>", "where to (default: standard output)")
    .option("--format <format>", "docker (which every tool reads) or oci")
    .action((references: string[], flags) => save(client(), references, flags));
  command("load [file]", "images out of an archive of ours, Docker's, skopeo's, podman's").action(
    (file: string | undefined, flags) => load(client(), file ?? "-", flags),
  );
  image
    .command("export <image>")
    .description("the root file system in one tar; layers and history are lost")
    .option("-o, --output <file>", "where to (default: standard output)")
    .action((reference: string, flags) => exportRoot(client(), reference, flags));
  command("import <file> <name>", "make an image of a root file system's tar")
    .option("--change <instruction>", "Dockerfile instruction, repeatable", collect)
    .option("--message <text>", "for the history")
    .action((file: string, name: string, flags) => importRoot(client(), file, name, flags));
  registry("pull <image>", "bring an image from a registry")
    .option("--platform <platform>", "like linux/arm64, or all (default: this server's)")
    .action(async (reference: string, flags) => void (await pull(client(), reference, flags)));
  registry("push <image> [to]", "send an image to a registry").action(
    (reference: string, to: string | undefined, flags) => push(client(), reference, to, flags),
  );
  command("gc", "free what no name, version or running box needs")
    .option("--unused-for <time>", "and what was not used for so long (default 1h)")
    .action((flags) => gc(client(), flags));
  command("fsck", "read every blob and say what is wrong")
    .option("--mend", "put damaged blobs aside, so that they can be brought again")
    .option("--deep", "compare unpacked layers file by file, too")
    .action((flags) => fsck(client(), flags));
}
