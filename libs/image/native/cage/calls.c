#include "calls.h"
#include "../fail.h"
#include "../powers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What Node needs to speak TLS and HTTP, and to be started. All else is refused as if it were forbidden, not by death:
 * libraries try what they can do without. Files are read: there is none that can be written. */
static const int allowed[] = {
    /* memory, threads, time */
    SYS_brk,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_membarrier,
    SYS_futex,
    SYS_clone,
    SYS_clone3,
    SYS_set_robust_list,
    SYS_get_robust_list,
    SYS_rseq,
    SYS_set_tid_address,
    SYS_gettid,
    SYS_getpid,
    SYS_tgkill,
    SYS_exit,
    SYS_exit_group,
    SYS_execve,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_getscheduler,
    SYS_sched_getparam,
    SYS_getpriority,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_times,
    SYS_getrusage,
    SYS_prctl,
    SYS_prlimit64,
    SYS_getrlimit,
    SYS_sysinfo,
    SYS_uname,
    SYS_getrandom,
    SYS_restart_syscall,
    /* signals of its own */
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_rt_sigtimedwait,
    SYS_sigaltstack,
    /* who it is */
    SYS_getuid,
    SYS_getgid,
    SYS_geteuid,
    SYS_getegid,
    SYS_getppid,
    SYS_getgroups,
    SYS_capget,
    /* files */
    SYS_openat,
    SYS_close,
    SYS_read,
    SYS_readv,
    SYS_pread64,
    SYS_write,
    SYS_writev,
    SYS_lseek,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_statfs,
    SYS_fstatfs,
    SYS_readlinkat,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_getdents64,
    SYS_getcwd,
    SYS_fcntl,
    SYS_ioctl,
    SYS_dup,
    SYS_dup3,
    SYS_pipe2,
    SYS_eventfd2,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_ppoll,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    /* sockets, of the families below */
    SYS_socket,
    SYS_bind,
    SYS_connect,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_sendto,
    SYS_sendmsg,
    SYS_sendmmsg,
    SYS_recvfrom,
    SYS_recvmsg,
    SYS_recvmmsg,
    SYS_shutdown,
#ifdef __x86_64__
    SYS_arch_prctl,
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_poll,
    SYS_epoll_wait,
    SYS_dup2,
    SYS_time,
#endif
};

enum { ROUTES_OF_THE_HOST = NETLINK_ROUTE, FAMILY = 0, PROTOCOL = 2 };

/* The internet, and the kernel's table of addresses, by which the C library sorts what a name stands for. No Unix
 * sockets: the abstract ones of the host are in its network. */
static void only_internet(void) {
#define ARGUMENT(n) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[n]))
#define IF(value, then, otherwise) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise)
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      IF(SYS_socket, 0, 6),
      ARGUMENT(FAMILY),
      IF(AF_INET, 4, 0),
      IF(AF_INET6, 3, 0),
      IF(AF_NETLINK, 0, 3),
      ARGUMENT(PROTOCOL),
      IF(ROUTES_OF_THE_HOST, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
  };
#undef ARGUMENT
#undef IF
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) fail("the filter of sockets", "");
}

void calls_confine(void) {
  only_internet();
  powers_filter(allowed, sizeof allowed / sizeof *allowed, SECCOMP_RET_ERRNO | EPERM);
}
