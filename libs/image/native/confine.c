#include "confine.h"
#include "fail.h"
#include "powers.h"

#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

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

void confine_begin(void) {
  umask(0);
  if (syscall(SYS_close_range, 3, ~0u, 0) < 0) fail("closing descriptors", "");
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) fail("parent-death signal", "");
  if (!SANITIZED && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0) fail("not dumpable", "");
  powers_limit(RLIMIT_CORE, 0);
  powers_limit(RLIMIT_NOFILE, 1024);
  powers_limit(RLIMIT_MEMLOCK, 0);
  if (!SANITIZED) powers_limit(RLIMIT_AS, 1ul << 30);
}

void confine(enum confine_for work) {
  powers_limit(RLIMIT_NPROC, 0);
  powers_bound(capabilities[work]);
  powers_keep(capabilities[work]);
  powers_no_new();
  if (!SANITIZED) powers_filter(allowed, sizeof allowed / sizeof *allowed, SECCOMP_RET_KILL_PROCESS);
}
