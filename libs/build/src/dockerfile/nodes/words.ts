import type { Escape } from "../lines/directives.ts";
import { isSpace } from "../source/go-text.ts";

/** Words of ENV, LABEL and ARG: split on blanks outside of quotes. Quotes and escapes stay; expansion takes them off. */
export function splitWords(text: string, token: Escape): string[] {
  const words: string[] = [];
  let word = "";
  let quote = "";
  let quoted = false;
  const end = () => {
    if (quoted || word !== "") words.push(word);
    word = "";
    quoted = false;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (quote === "" && isSpace(character)) {
      end();
      continue;
    }
    if (quote === "" && (character === "'" || character === '"')) {
      quote = character;
      quoted = true;
    } else if (character === quote) {
      quote = "";
    } else if (character === token && quote !== "'") {
      // At the very end it escapes nothing and is dropped.
      if (++at < text.length) word += character + text[at]!;
      continue;
    }
    word += character;
  }
  // A quote that is never closed is found when the word is expanded.
  end();
  return words;
}
