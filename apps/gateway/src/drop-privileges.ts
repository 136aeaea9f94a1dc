/**
 * Becomes an unprivileged user, for good. The gateway starts as root only to be able to read its own program, whose modules are all
 * loaded by now; nothing was opened yet. @throws Error when something of root is left
 */
export function dropPrivileges(runAs: { uid: number; gid: number } | null): void {
  if (!runAs || process.getuid?.() !== 0) return;
  process.setgroups!([runAs.gid]);
  process.setgid!(runAs.gid);
  process.setuid!(runAs.uid);
  let root = true;
  try {
    process.setuid!(0);
  } catch {
    root = false;
  }
  if (root || process.getuid!() !== runAs.uid) throw new Error("the gateway could not give up root");
}
