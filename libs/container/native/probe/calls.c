/* System calls that only the filter stands before: in a box they answer EPERM, whatever their arguments. */
#include "probe.h"

#include <errno.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

static long unshare_user(void) {
  return unshare(CLONE_NEWUSER);
}
static long unshare_mount(void) {
  return unshare(CLONE_NEWNS);
}
static long unshare_net(void) {
  return unshare(CLONE_NEWNET);
}
static long unshare_pid(void) {
  return unshare(CLONE_NEWPID);
}
static long unshare_ipc(void) {
  return unshare(CLONE_NEWIPC);
}
static long unshare_uts(void) {
  return unshare(CLONE_NEWUTS);
}
static long unshare_cgroup(void) {
  return unshare(CLONE_NEWCGROUP);
}
static long clone_user(void) {
  long pid = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  return pid;
}
/* Valid, so that without the filter it makes a namespace. */
static long clone3_user(void) {
  uint64_t args[11] = {CLONE_NEWUSER, 0, 0, 0, SIGCHLD};
  long pid = syscall(SYS_clone3, args, 64);
  if (pid == 0) _exit(0);
  return pid;
}
static long join_mount(void) {
  return setns(open("/proc/self/ns/mnt", O_RDONLY), 0);
}

void try_namespaces(void) {
  tried_in_child("unshare user", unshare_user);
  tried_in_child("unshare mount", unshare_mount);
  tried_in_child("unshare net", unshare_net);
  tried_in_child("unshare pid", unshare_pid);
  tried_in_child("unshare ipc", unshare_ipc);
  tried_in_child("unshare uts", unshare_uts);
  tried_in_child("unshare cgroup", unshare_cgroup);
  tried_in_child("clone newuser", clone_user);
  tried_in_child("clone3 newuser", clone3_user);
  tried_in_child("setns", join_mount);
}

static long trace_me(void) {
  return ptrace(PTRACE_TRACEME, 0, 0, 0);
}
static long chroot_here(void) {
  return chroot("/");
}
static long other_personality(void) {
  return syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */);
}
static long x32(void) {
  return syscall(0x40000000 | SYS_getpid);
}
static long i386(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L /* getpid */) : "memory");
  return result;
}
static long become_root(void) {
  return setuid(0);
}
static long no_groups(void) {
  return syscall(SYS_setgroups, 0, NULL);
}
/* A second filter may be stricter, not laxer. */
static long host_name(void) {
  return sethostname("probe", 5);
}

void try_calls(void) {
  tried("mount tmpfs", mount("tmpfs", "/tmp", "tmpfs", 0, ""));
  tried("remount /proc", mount(NULL, "/proc", NULL, MS_REMOUNT | MS_BIND, NULL));
  tried("umount /proc", umount2("/proc/sys", MNT_DETACH));
  tried("pivot_root", syscall(SYS_pivot_root, ".", "."));
  tried("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 0u));
  tried("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  tried("add_key", syscall(SYS_add_key, "user", "probe", "x", 1, KEY_SPEC_PROCESS_KEYRING));
  tried("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_PROCESS_KEYRING, 1));
  tried("request_key", syscall(SYS_request_key, "user", "probe", NULL, 0));
  union bpf_attr bpf = {0};
  tried("bpf", syscall(SYS_bpf, BPF_PROG_LOAD, &bpf, sizeof bpf));
  struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE, .size = sizeof perf, .exclude_kernel = 1};
  tried("perf_event_open", syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
  tried("userfaultfd", syscall(SYS_userfaultfd, 1));
  char params[120] = {0};
  tried("io_uring_setup", syscall(SYS_io_uring_setup, 1, params));
  tried("process_vm_readv", syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
  tried("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 2, 0, 0));
  tried("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0));
  tried("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
  tried("memfd_secret", syscall(SYS_memfd_secret, 0));
  tried("newer than the list", syscall(SYS_set_mempolicy_home_node + 1, -1, -1, -1, -1));
  tried_in_child("personality", other_personality);
  tried_in_child("ptrace", trace_me);
  tried_in_child("chroot", chroot_here);
  tried_in_child("sethostname", host_name);
  tried_in_child("setuid 0", become_root);
  tried_in_child("setgroups", no_groups);
  tried_in_child("x32 call", x32);
  tried_in_child("i386 call", i386);
}

/* The filter's own table, and the calls that it decides by their arguments. */
static const int in_table[] = {
#define ALWAYS(name) SYS_##name,
#define BUILD(name)
#include "../syscalls.h"
    /* uretprobe and uprobe: the kernel's own trampolines, let past every filter (6.14); from elsewhere they are SIGILL.
     */
    335, 336, SYS_socket, SYS_socketpair, SYS_setsockopt, SYS_ioctl, SYS_clone, SYS_clone3, SYS_personality,
};

static int is_in_table(int number) {
  for (size_t i = 0; i < sizeof in_table / sizeof *in_table; i++)
    if (in_table[i] == number) return 1;
  return 0;
}

/* Every number that the table does not have, with arguments that no call takes: names those that answered otherwise
 * than the filter does. */
void try_every_number(void) {
  char through[4096] = "";
  for (int number = 0; number < 480; number++) {
    if (is_in_table(number)) continue;
    errno = 0;
    long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
    if (result < 0 && errno == (number <= SYS_set_mempolicy_home_node ? EPERM : ENOSYS)) continue;
    snprintf(through + strlen(through), sizeof through - strlen(through), "%s%d", *through ? " " : "", number);
  }
  say("calls that got through", through);
}
