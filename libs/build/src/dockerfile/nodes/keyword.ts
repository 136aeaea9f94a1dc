export const KEYWORDS = [
  "add",
  "arg",
  "cmd",
  "copy",
  "entrypoint",
  "env",
  "expose",
  "from",
  "healthcheck",
  "label",
  "maintainer",
  "onbuild",
  "run",
  "shell",
  "stopsignal",
  "user",
  "volume",
  "workdir",
] as const;
export type Keyword = (typeof KEYWORDS)[number];

export const asKeyword = (word: string): Keyword | undefined =>
  KEYWORDS.find((keyword) => keyword === word.toLowerCase());
