import type { Ending } from "@mayfly/contract";

/** What an operator can do about a step that failed, by the words it begins with. */
const REMEDIES: readonly (readonly [step: string, errno: string | null, remedy: string])[] = [
  ["make user namespace", "ENOSPC", "raise the sysctl user.max_user_namespaces"],
  [
    "make user namespace",
    "EPERM",
    "allow user namespaces: sysctl kernel.unprivileged_userns_clone, or AppArmor's restriction",
  ],
  ["namespaces", "ENOSPC", "raise the sysctls user.max_{mnt,net,ipc,uts,pid}_namespaces"],
  ["open layer", "ENOENT", "the image's layers are not unpacked; pull or build it again"],
  ["mount overlay", "ENODEV", "the kernel has no overlayfs: modprobe overlay"],
  [
    "mount overlay",
    "EINVAL",
    "the layers' file system cannot be below overlayfs; move MAYFLY_HOME to ext4, xfs or btrfs",
  ],
  ["open cgroup", "ENOENT", "the box's cgroup is gone; was it removed by someone else?"],
  ["exec", "ENOENT", "the program, or the interpreter it names, is not in the image"],
  ["exec", "EACCES", "the program is not executable for this user"],
  ["exec", "ENOEXEC", "the program is of another architecture, or a script without #!"],
  ["enter working folder", null, "the working folder must exist in the image"],
  ["place", "ELOOP", "a folder that must be ordinary is a symbolic link in the image"],
  ["place", "ENOENT", "a folder that must exist is missing in the image"],
];

export function refusal(step: string, errno: string, message: string): Ending {
  const found = REMEDIES.find(([begin, code]) => step.startsWith(begin) && (code === null || code === errno));
  return { kind: "refused", step, errno, message, remedy: found?.[2] ?? null };
}
