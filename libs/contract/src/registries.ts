/** distribution/reference, regexp.go. A first component with a dot, a port, or `localhost` is a registry's host: capitals are legal there. */
export const REGISTRY_HOST =
  "(?:localhost|[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:[0-9])|\\[[0-9a-fA-F:]+\\])(?::[0-9]+)?";
/** Of the path of a repository. */
export const REPOSITORY_COMPONENT = "[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*";

const PLACE = new RegExp(`^${REGISTRY_HOST}(?:/${REPOSITORY_COMPONENT})*$`);

/**
 * Reads `registry.example:5000/team,docker.io`: registries, each with a path or none, before which a name is put that has no host of its own.
 * In the order to be asked. Null: it is not written like that.
 */
export function parseRegistries(text: string): string[] | null {
  const places = text.split(",").map((part) => part.trim());
  const isRight = places.every((place) => PLACE.test(place) && URL.canParse(`https://${place}`));
  return isRight && new Set(places).size === places.length ? places : null;
}
