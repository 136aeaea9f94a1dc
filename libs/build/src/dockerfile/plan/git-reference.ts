/** Where a git repository is, as ADD and contexts name it: `https://host/repo.git#ref:folder`. */
export interface GitReference {
  readonly remote: string;
  /** Branch, tag or commit; empty: the remote's HEAD. */
  readonly ref: string;
  /** Folder in the repository; empty: its root. */
  readonly folder: string;
}

/** `user@host:path`, as scp has it. */
const SCP_LIKE = /^(?:[\w.-]+@)[\w.-]+:(?!\/\/)[^#]+/;

/** The repository that a text names; null when it names none: HTTP addresses are one only when their path ends with `.git`. */
export function readGitReference(text: string): GitReference | null {
  const hash = text.indexOf("#");
  const remote = hash === -1 ? text : text.slice(0, hash);
  const isGit =
    /^(?:git|ssh):\/\//.test(remote) || /^https?:\/\/[^?]*\.git(?:\?|$)/.test(remote) || SCP_LIKE.test(remote);
  if (!isGit) return null;
  const fragment = hash === -1 ? "" : text.slice(hash + 1);
  const colon = fragment.indexOf(":");
  if (colon === -1) return { remote, ref: fragment, folder: "" };
  return { remote, ref: fragment.slice(0, colon), folder: fragment.slice(colon + 1) };
}

export const isHttp = (text: string): boolean => /^https?:\/\//.test(text);
