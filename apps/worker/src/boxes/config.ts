import type { BoxWanted } from "@mayfly/contract";
import type { OciConfig } from "@mayfly/image";

/**
 * The image's configuration, and over it what `run` was told: what a box runs by, and what a commit of it goes on from. As a container's in
 * Docker (moby, daemon/commit.go, merge): of the environment, `run`'s own comes first; an entrypoint that was given takes the image's command away.
 */
export function configOf(wanted: BoxWanted, image: Partial<OciConfig>): Partial<OciConfig> {
  const { entrypoint, command, cwd, user } = wanted;
  const isGiven = (pair: string) => Object.hasOwn(wanted.env, pair.split("=", 1)[0]!);
  const own = Object.entries(wanted.env).map(([name, value]) => `${name}=${value}`);
  const env = [...own, ...(image.Env ?? []).filter((pair) => !isGiven(pair))];
  return {
    ...image,
    ...(env.length > 0 && { Env: env }),
    ...(cwd !== null && { WorkingDir: cwd }),
    ...(user !== null && { User: user }),
    ...(command !== null && { Cmd: command }),
    ...(entrypoint !== null && { Entrypoint: withoutEmpty(entrypoint), Cmd: command ?? undefined }),
  };
}

/** One empty word is no entrypoint. */
const withoutEmpty = (entrypoint: readonly string[]): readonly string[] | undefined =>
  entrypoint.length === 0 || (entrypoint.length === 1 && entrypoint[0] === "") ? undefined : entrypoint;
