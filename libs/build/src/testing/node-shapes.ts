import { parseNodes } from "../dockerfile/nodes/parse.ts";

/** Every node as `KEYWORD --flag [word][word]`; of pairs `[name=value]`, in the old form `[name value]`. */
export const shapeOf = (source: string): string =>
  parseNodes(source)
    .nodes.map(({ word, words, flags, json, pairs }) => {
      const parts =
        pairs?.map(([name, value, joint]) => `[${name}${joint || " "}${value}]`) ?? words.map((one) => `[${one}]`);
      return word + flags.map(({ text }) => ` ${text} `).join("") + (json ? " json" : "") + parts.join("");
    })
    .join("; ");
