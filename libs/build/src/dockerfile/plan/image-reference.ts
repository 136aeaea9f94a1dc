import { parseReference } from "@mayfly/image";

/** Whether a text can be the name of an image at all. */
export function isImageReference(text: string): boolean {
  try {
    parseReference(text);
    return true;
  } catch {
    return false;
  }
}
