/**
 * What the probe must be told in a box, by the protection that tells it. `unless` is what the same attempt comes to when that protection
 * is off: the control, which shows that the answer was ours and not the kernel's own. A row without it is refused by something else as
 * well (capabilities, or a mount namespace that belongs to the host), so that switching one off changes nothing.
 */
export interface Row {
  readonly attempt: string;
  readonly answer: string;
  readonly unless?: string;
}

const refused = (attempt: string, unless?: string): Row => ({
  attempt,
  answer: "EPERM",
  ...(unless === undefined ? {} : { unless }),
});

/** libs/container/native/filter.c. The kernel's own answers stand beside: EAFNOSUPPORT on a kernel without the family is no protection. */
export const BY_FILTER: readonly Row[] = [
  refused("unshare user", "ENOSPC"),
  refused("clone newuser", "ENOSPC"),
  { attempt: "clone3 newuser", answer: "ENOSYS", unless: "ENOSPC" },
  { attempt: "x32 call", answer: "signal 31", unless: "ENOSYS" },
  refused("open_tree", "ok"),
  refused("add_key", "ok"),
  refused("keyctl", "ok"),
  refused("request_key", "ok"),
  refused("userfaultfd", "ok"),
  refused("io_uring_setup", "ok"),
  refused("process_vm_readv", "ok"),
  refused("kcmp", "ok"),
  refused("open_by_handle_at", "EFAULT"),
  refused("memfd_secret", "ok"),
  refused("personality", "ok"),
  refused("ptrace", "ok"),
  refused("socket AF_VSOCK", "ok"),
  refused("socket NETLINK_XFRM", "ok"),
  { attempt: "socket NETLINK_AUDIT", answer: "EPROTONOSUPPORT", unless: "ok" },
  refused("socket NETLINK_NETFILTER", "ok"),
  refused("socketpair AF_INET", "EOPNOTSUPP"),
  refused("UDP_ENCAP", "ok"),
  refused("TCP_ULP", "ENOENT"),
  refused("TIOCSTI", "ENOTTY"),
  refused("TIOCSTI with high bits", "ENOTTY"),
  refused("TIOCLINUX", "ENOTTY"),
];

/** Refused by the filter and, were it not there, by something else or in words that differ between kernels. */
export const BY_FILTER_AND_MORE: readonly Row[] = [
  ...["mount", "net", "pid", "ipc", "uts", "cgroup"].map((kind) => refused(`unshare ${kind}`)),
  ...["setns", "mount tmpfs", "remount /proc", "umount /proc", "pivot_root", "fsopen", "bpf", "perf_event_open"].map(
    (call) => refused(call),
  ),
  ...["name_to_handle_at", "chroot", "sethostname"].map((call) => refused(call)),
  ...["ALG", "PACKET", "XDP", "KEY", "RXRPC", "BLUETOOTH", "TIPC", "CAN", "ALG with high bits"].map((family) =>
    refused(`socket AF_${family}`),
  ),
  { attempt: "newer than the list", answer: "ENOSYS" },
  { attempt: "calls that got through", answer: "" },
];

/** user.max_*_namespaces of the box's user namespace, seen with the filter off and by a root with all capabilities. */
export const BY_NAMESPACE_LIMITS: readonly Row[] = ["user", "mount", "net", "pid", "ipc", "uts", "cgroup"].map(
  (kind) => ({ attempt: `unshare ${kind}`, answer: "ENOSPC", unless: "ok" }),
);

/** No capability for root of the box in a function, seen with the filter off. */
export const BY_CAPABILITIES: readonly Row[] = [
  refused("setgroups", "ok"),
  refused("chroot", "ok"),
  { attempt: "CapEff:", answer: "0000000000000000", unless: "000001ffffffffff" },
  { attempt: "CapBnd:", answer: "0000000000000000", unless: "000001ffffffffff" },
];

/** Files of /proc that tell of the host, where this kernel has them. */
export const MASKED = ["/proc/interrupts", "/proc/keys", "/proc/timer_list"];
export const MASKED_WHERE_PRESENT = [
  "/proc/kcore",
  "/proc/latency_stats",
  "/proc/sched_debug",
  "/proc/timer_stats",
  "/proc/acpi",
  "/proc/asound",
  "/proc/scsi",
];
export const READ_ONLY: readonly Row[] = ["sys", "irq", "fs", "bus"].map((name) => ({
  attempt: `flags of /proc/${name}`,
  answer: "ro nosuid nodev noexec",
  unless: "rw nosuid nodev noexec",
}));

/** What a function's process is and may do. */
export const IN_A_FUNCTION: Readonly<Record<string, string>> = {
  descriptors: "0 1 2 3",
  "CapInh:": "0000000000000000",
  "CapPrm:": "0000000000000000",
  "CapEff:": "0000000000000000",
  "CapBnd:": "0000000000000000",
  "CapAmb:": "0000000000000000",
  "NoNewPrivs:": "1",
  "Seccomp:": "2",
  "Groups:": "",
  "SigIgn:": "0000000000000000",
  "SigBlk:": "0000000000000000",
  "limit core": "0 0",
  "limit open files": "1024 4096",
  "limit locked memory": "65536 65536",
  "limit message queues": "0 0",
  umask: "022",
  "pid, parent, session": "2 1 2",
  ids: "1000:1000",
  hostname: "box",
  processes: "1 2",
  "host paths in mountinfo": "none",
  "flags of /": "rw nosuid nodev",
  "flags of /proc": "rw nosuid nodev noexec",
  "flags of /dev": "ro nosuid noexec",
  "flags of /dev/shm": "rw nosuid nodev noexec",
  "setuid 0": "EPERM",
  setgroups: "EPERM",
  "raw socket": "EPERM",
  "mknod device": "EPERM",
  "open /proc/1/exe": "EACCES",
  "open /proc/1/mem": "EACCES",
  "open /proc/1/root": "EACCES",
  "open /proc/1/fd": "EACCES",
  "open /proc/1/environ": "EACCES",
  "write core_pattern": "EACCES",
  "write ip_forward": "EACCES",
  "open /sys": "ENOENT",
  "open cgroup": "ENOENT",
  "make in /dev": "EROFS",
  "chmod /dev/null": "EROFS",
  "open /dev/mem": "ENOENT",
  "open /dev/kmsg": "ENOENT",
  "open /dev/tty": "ENXIO",
  "write /etc": "EACCES",
};

/** What must work all the same: a box that refuses everything would pass the rest. */
export const ALLOWED = [
  "socket AF_UNIX",
  "socket AF_INET",
  "socket AF_INET6",
  "socket NETLINK_ROUTE",
  "socketpair AF_UNIX",
  "TCP_NODELAY",
  "open /dev/null",
  "open /dev/urandom",
  "write /tmp",
  "write /dev/shm",
];
