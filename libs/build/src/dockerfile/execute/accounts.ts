import { type AccountFiles, type Owner, readOwner } from "../copy/owner.ts";
import type { Contents } from "../files/contents.ts";
import type { FileTree } from "../files/file-tree.ts";
import { DockerfileError } from "../source/failure.ts";

/** More than any account file of use; a stranger's is not read to its end. */
const LARGEST_ACCOUNT_FILE_BYTES = 1024 * 1024;

const ROOT: Owner = { uid: 0, gid: 0 };

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

/** Who a folder of WORKDIR is made for: names that nobody has are root's, as BuildKit asks for them nowhere but in a RUN. */
export async function makerIn(user: string, tree: FileTree, contents: Contents): Promise<Owner> {
  const files = await accountFiles(tree, contents);
  for (const spec of [user, user.split(":")[0]!]) {
    try {
      return readOwner(spec.replace(/^(?=:|$)/, "0"), files);
    } catch (error) {
      if (!(error instanceof DockerfileError)) throw error;
    }
  }
  return ROOT;
}

/** Who a program of a RUN is: without a USER, root. A number that passwd does not know lives in `/`. @throws DockerfileError */
export async function accountIn(user: string, tree: FileTree, contents: Contents): Promise<Account> {
  return accountOf(user, await accountFiles(tree, contents));
}

/** The same, by the texts of the account files. @throws DockerfileError for names that they do not have */
export function accountOf(user: string, files: AccountFiles): Account {
  const colon = user.indexOf(":");
  const name = (colon === -1 ? user : user.slice(0, colon)) || "0";
  const group = colon === -1 ? "" : user.slice(colon + 1);
  const owner = readOwner(group === "" ? name : `${name}:${group}`, files);
  const lines = (files.passwd ?? "").split("\n").map((line) => line.trimEnd().split(":"));
  const first = lines.find((fields) => fields[2] === String(owner.uid));
  // A name that is all digits is a number, whoever is called so.
  const line = /^\d+$/.test(name) ? first : lines.find((fields) => fields[0] === name);
  // A home is the number's, not the name's: runc knows no more.
  const home = first?.[5] || "/";
  // A group that is named is the only one.
  if (group !== "") return { ...owner, groups: [], home };
  const gid = /^\d+$/.test(line?.[3] ?? "") ? Number(line![3]) : 0;
  return { uid: owner.uid, gid, groups: line ? groupsOf(line[0]!, files.group) : [], home };
}

function groupsOf(user: string, group: string | null): number[] {
  return (group ?? "").split("\n").flatMap((line) => {
    const [, , gid, members = ""] = line.split(":");
    return members.split(",").includes(user) && /^\d+$/.test(gid ?? "") ? [Number(gid)] : [];
  });
}
