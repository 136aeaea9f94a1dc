#include "confine.h"
#include "fail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#else
#error "no filter for this architecture"
#endif
#define X32_BIT 0x40000000u

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 }; /* Its runtime makes calls of its own and reserves terabytes of addresses. */
/* Looking for leaks at the end needs ptrace. */
const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "detect_leaks=0";
}
#else
enum { SANITIZED = 0 };
#endif

/* SYS_ADMIN: without it the kernel shows and takes no trusted.* attributes, which is how overlayfs marks a folder
 * opaque, and no security.* ones but capabilities. What else it would allow, the filter refuses. */
static const uint64_t capabilities[] = {
    [CONFINE_UNPACK] = 1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER | 1ull << CAP_FSETID |
                       1ull << CAP_MKNOD | 1ull << CAP_SETFCAP | 1ull << CAP_SYS_ADMIN,
    [CONFINE_WALK] = 1ull << CAP_DAC_READ_SEARCH | 1ull << CAP_FOWNER /* O_NOATIME */ | 1ull << CAP_SYS_ADMIN,
    [CONFINE_REMOVE] = 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FOWNER,
    [CONFINE_SYNC] = 0,
};

static const int allowed[] = {
    SYS_read,       SYS_write,     SYS_pread64,    SYS_pwrite64,  SYS_lseek,      SYS_close,        SYS_openat,
    SYS_openat2,    SYS_fstat,     SYS_newfstatat, SYS_statx,     SYS_getdents64, SYS_fcntl,        SYS_fchdir,
    SYS_mkdirat,    SYS_mknodat,   SYS_symlinkat,  SYS_linkat,    SYS_unlinkat,   SYS_readlinkat,   SYS_ftruncate,
    SYS_fchown,     SYS_fchownat,  SYS_fchmod,     SYS_fchmodat,  SYS_utimensat,  SYS_syncfs,       SYS_sync_file_range,
    SYS_fsetxattr,  SYS_lsetxattr, SYS_fgetxattr,  SYS_lgetxattr, SYS_flistxattr, SYS_llistxattr,   SYS_brk,
    SYS_mmap,       SYS_munmap,    SYS_mremap,     SYS_madvise,   SYS_mprotect,   SYS_rt_sigreturn, SYS_exit,
    SYS_exit_group, SYS_sysinfo, /* qsort asks how much memory there is */
};

static void filter(void) {
  enum { COUNT = sizeof allowed / sizeof *allowed };
  struct sock_filter code[COUNT * 2 + 8];
  unsigned short length = 0;
#define EMIT(...) code[length++] = (struct sock_filter)__VA_ARGS__
  EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
  EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0));
  EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  EMIT(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
  EMIT(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1));
  EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  for (size_t i = 0; i < COUNT; i++) {
    EMIT(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)allowed[i], 0, 1));
    EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  }
  EMIT(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
#undef EMIT
  struct sock_fprog program = {.len = length, .filter = code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0) fail("the system call filter", "");
}

static void limit(int resource, rlim_t value) {
  struct rlimit both = {.rlim_cur = value, .rlim_max = value};
  if (setrlimit(resource, &both) < 0) fail("a resource limit", "");
}

static void keep_only(uint64_t caps) {
  for (int cap = 0; cap < 64; cap++)
    if (!(caps >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL) fail("bounding set", "");
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) fail("ambient capabilities", "");
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
      {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)},
  };
  if (syscall(SYS_capset, &header, data) < 0) fail("capabilities", "");
}

void confine_begin(void) {
  umask(0);
  if (syscall(SYS_close_range, 3, ~0u, 0) < 0) fail("closing descriptors", "");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) fail("parent-death signal", "");
  if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) fail("not dumpable", "");
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_NOFILE, 1024);
  limit(RLIMIT_MEMLOCK, 0);
  if (!SANITIZED) limit(RLIMIT_AS, 1ul << 30);
}

void confine(enum confine_for work) {
  limit(RLIMIT_NPROC, 0);
  keep_only(capabilities[work]);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) fail("no_new_privs", "");
  if (!SANITIZED) filter();
}
