import { type AccountFiles, type Owner, readOwner } from "../copy/owner.ts";
import type { Contents } from "../files/contents.ts";
import type { FileTree } from "../files/file-tree.ts";

/** More than any account file of use; a stranger's is not read to its end. */
const LARGEST_ACCOUNT_FILE_BYTES = 1024 * 1024;

export interface Account extends Owner {
  readonly groups: readonly number[];
  readonly home: string;
}

async function accountFiles(tree: FileTree, contents: Contents): Promise<AccountFiles> {
  const read = async (path: string) => {
    const node = tree.at(tree.resolve(path));
    return node?.type === "file" ? contents.text(node.source!, LARGEST_ACCOUNT_FILE_BYTES) : null;
  };
  return { passwd: await read("etc/passwd"), group: await read("etc/group") };
}

/** The ids that `--chown` or USER name in a root file system. @throws DockerfileError for names that it does not have */
export async function ownerIn(spec: string, tree: FileTree, contents: Contents): Promise<Owner> {
  if (/^\d+(?::\d+)?$/.test(spec)) return readOwner(spec, { passwd: null, group: null });
  return readOwner(spec, await accountFiles(tree, contents));
}

/** Who a program of a RUN is: without a USER, root. A number that passwd does not know lives in `/`. @throws DockerfileError */
export async function accountIn(user: string, tree: FileTree, contents: Contents): Promise<Account> {
  return accountOf(user, await accountFiles(tree, contents));
}

/** The same, by the texts of the account files. @throws DockerfileError for names that they do not have */
export function accountOf(user: string, files: AccountFiles): Account {
  const owner = readOwner(user || "0", files);
  const lines = (files.passwd ?? "").split("\n").map((line) => line.split(":"));
  const name = (user || "0").split(":")[0]!;
  const line = lines.find((fields) => fields[0] === name) ?? lines.find((fields) => fields[2] === String(owner.uid));
  // A group that is named is the only one.
  const groups = user.includes(":") || !line ? [] : groupsOf(line[0]!, files.group);
  const gid = !user.includes(":") && line && /^\d+$/.test(name) ? Number(line[3]) : owner.gid;
  return { uid: owner.uid, gid: line ? gid : user.includes(":") ? owner.gid : 0, groups, home: line?.[5] || "/" };
}

function groupsOf(user: string, group: string | null): number[] {
  return (group ?? "").split("\n").flatMap((line) => {
    const [, , gid, members = ""] = line.split(":");
    return members.split(",").includes(user) && /^\d+$/.test(gid ?? "") ? [Number(gid)] : [];
  });
}
