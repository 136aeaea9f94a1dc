import { z } from "zod";

/** What host and fetcher box say to each other in frames: INIT → HEAD, DATA… END, or ERROR. */

/** INIT: something outside; or a zip, which follows as DATA… END, and comes back as a tar. */
export type RemoteSource =
  | { readonly kind: "zip" }
  | { readonly kind: "http"; readonly url: string }
  | {
      readonly kind: "git";
      readonly remote: string;
      /** Branch, tag or commit; empty: the remote's HEAD. */
      readonly ref: string;
      /** Folder in the repository; empty: its root. */
      readonly folder: string;
      readonly keep_git_dir: boolean;
    };

/** HEAD: what it is. DATA is the body as it came, or a tar of the repository's files. */
export const FetchedHead = z.object({
  /** Changes when the content does: an ETag, a commit. Null: the server says nothing of the kind. */
  identity: z.string().max(500).nullable(),
  /** When it was changed last, by what the server or the commit says; seconds since 1970. */
  mtime_s: z.int().nonnegative().nullable(),
});
export type FetchedHead = z.infer<typeof FetchedHead>;
