import { ImageError, parseReference } from "@mayfly/image";

/** Docker Hub. */
const HUB = ["docker.io"];
/** Names below it are of images that are made here. */
const OURS = "mayfly/";
/** It may be read as a name and a tag. */
const AN_ID = /^sha256:[0-9a-f]{64}$/;

/** Who is asked for what is pulled, and for what a build goes on from: Docker Hub when the operator says nothing, as with Docker. */
export const asDocker = (registries: readonly string[] | null): readonly string[] => registries ?? HUB;

/**
 * Who is asked for what is deployed. A name there is mostly one of an image that was pushed here, and a slip of the pen; that Docker Hub has
 * something by it, which anybody may have put there, must not make it a function.
 */
export const asSaid = (registries: readonly string[] | null): readonly string[] => registries ?? [];

/** Where a name stands for something, in the order to be asked: at the registry that it names itself, else at each of `registries`. */
export function placesOf(reference: string, registries: readonly string[]): string[] {
  const { host, name } = parseReference(reference);
  if (host !== null) return [reference];
  return name.startsWith(OURS) || AN_ID.test(reference) ? [] : registries.map((registry) => `${registry}/${reference}`);
}

/** What the first of several places gives. @throws ImageError: what each of them said, when none does */
export async function firstOf<T>(
  reference: string,
  places: readonly string[],
  ask: (place: string) => Promise<T>,
): Promise<T> {
  const refusals: ImageError[] = [];
  for (const place of places) {
    try {
      return await ask(place);
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      refusals.push(error);
    }
  }
  if (refusals.length === 1) throw refusals[0];
  const said = refusals.map(({ message }, at) => `(${at + 1}) ${message}`).join("; ");
  // Of one that is away, or does not show what it has, nobody knows.
  const reason = refusals.find((one) => one.reason !== "missing")?.reason ?? "missing";
  const asked = said && `, nor at any of the ${places.length} registries that were asked: ${said}`;
  throw new ImageError(reason, `there is no image ${reference} here${asked}`);
}
