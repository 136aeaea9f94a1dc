import fs from "node:fs";
import { join } from "node:path";
import git, { type HttpClient, type ServerRef } from "isomorphic-git";
import type { FetchedHead, RemoteSource } from "../../fetch/protocol.ts";
import { Failure } from "../failure.ts";
import { request } from "./http.ts";

type GitSource = Extract<RemoteSource, { readonly kind: "git" }>;
const COMMIT = /^[0-9a-f]{40}$/;

/** Over HTTP, as git speaks it; what is asked and answered is small, but for the one answer that is the pack. */
const http: HttpClient = {
  async request({ url, method, headers, body }) {
    const parts: Uint8Array[] = [];
    for await (const part of body ?? []) parts.push(part);
    const sent = parts.length > 0 ? { body: new Uint8Array(Buffer.concat(parts)) } : {};
    const answer = await request(url, { ...(method && { method }), ...(headers && { headers }), ...sent });
    return {
      url: answer.url,
      statusCode: answer.status,
      statusMessage: answer.statusText,
      headers: Object.fromEntries(answer.headers),
      body: answer.body! as unknown as AsyncIterableIterator<Uint8Array>,
    };
  },
};

/** What a repository's branch, tag or commit is: asked before anything is fetched. @throws Failure */
export async function commitOf({ remote, ref }: GitSource): Promise<string> {
  if (!/^https?:\/\//.test(remote))
    throw new Failure(`${remote} cannot be fetched: repositories are read over http and https`);
  if (COMMIT.test(ref)) return ref;
  const refs = await theirs(remote, () => git.listServerRefs({ http, url: remote, symrefs: true, peelTags: true }));
  const names = ref === "" ? ["HEAD"] : [ref, `refs/tags/${ref}`, `refs/heads/${ref}`];
  const found = names.flatMap((name) => refs.find((one) => one.ref === name) ?? [])[0];
  if (found) return found.peeled ?? found.oid;
  throw new Failure(`${remote} has no branch and no tag ${ref === "" ? "HEAD" : ref}`, { hint: hint(refs) });
}

/** Fetches one commit without its history and checks it out; submodules stay out. @returns the folder that is wanted @throws Failure */
export async function checkOut(
  source: GitSource,
  commit: string,
  dir: string,
): Promise<{ readonly folder: string; readonly mtime_s: number }> {
  const { remote, folder } = source;
  await git.init({ fs, dir });
  // Its configuration may stay: without name and password.
  await git.addRemote({ fs, dir, remote: "origin", url: remote.replace(/^(https?:\/\/)[^/@]*@/, "$1") });
  await theirs(remote, () =>
    git.fetch({ fs, http, dir, url: remote, ref: commit, singleBranch: true, depth: 1, tags: false }),
  );
  const { commit: found } = await theirs(remote, () => git.readCommit({ fs, dir, oid: commit }));
  await theirs(remote, () => git.checkout({ fs, dir, ref: commit, force: true }));
  const wanted = join(dir, folder);
  const real = fs.existsSync(wanted) ? fs.realpathSync(wanted) : null;
  const root = fs.realpathSync(dir);
  if (real === null || !fs.statSync(real).isDirectory() || (real !== root && !real.startsWith(`${root}/`)))
    throw new Failure(`${remote} has no folder ${folder} at ${commit}`);
  return { folder: real, mtime_s: found.committer.timestamp };
}

export const headOf = (commit: string): FetchedHead => ({ identity: commit, mtime_s: null });

async function theirs<T>(remote: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code, message } = error as { code?: string; message: string };
    throw new Failure(`${remote} cannot be read as a git repository: ${message}`, code ? { hint: code } : {});
  }
}

function hint(refs: readonly ServerRef[]): string {
  const names = refs.flatMap(({ ref }) => /^refs\/(?:heads|tags)\/(.+)/.exec(ref)?.[1] ?? []);
  return names.length === 0 ? "it has none at all" : `there is ${names.slice(0, 20).join(", ")}`;
}
