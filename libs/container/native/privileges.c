#include "privileges.h"
#include "filter.h"
#include "step.h"

#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Inside of the box's user namespace, for RUN steps: apt and dpkg change owners and modes and drop to users of their
 * own. */
#define BUILD_CAPS                                                                                                     \
  (1ull << CAP_CHOWN | 1ull << CAP_DAC_OVERRIDE | 1ull << CAP_FSETID | 1ull << CAP_FOWNER | 1ull << CAP_SETUID |       \
   1ull << CAP_SETGID | 1ull << CAP_SETFCAP | 1ull << CAP_KILL)

/* Without a number of the last capability: the kernel says EINVAL behind it. */
static void bound(uint64_t keep) {
  for (int cap = 0; cap < 64; cap++) {
    if (keep >> cap & 1) continue;
    if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) continue;
    if (errno == EINVAL && cap > CAP_AUDIT_READ) return;
    refuse("bounding set");
  }
}

static uint64_t caps_of(const struct request *request) {
  if (request->unprotected & UNPROTECTED_CAPS) return (1ull << (CAP_CHECKPOINT_RESTORE + 1)) - 1;
  return request->profile == PROFILE_BUILD ? BUILD_CAPS : 0;
}

void privileges_bound(const struct request *request) {
  bound(caps_of(request));
  STEP("ambient set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
}

/* Inheritable stays empty: a program with file capabilities must not gain any through it. */
static void set_caps(uint64_t caps) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2] = {
      {.effective = (uint32_t)caps, .permitted = (uint32_t)caps},
      {.effective = (uint32_t)(caps >> 32), .permitted = (uint32_t)(caps >> 32)},
  };
  STEP("capabilities", syscall(SYS_capset, &header, data));
}

static void limit(int resource, rlim_t soft, rlim_t hard, const char *step) {
  struct rlimit value = {.rlim_cur = soft, .rlim_max = hard};
  STEP(step, setrlimit(resource, &value));
}

static void limits(const struct request *request) {
  limit(RLIMIT_NOFILE, request->open_files, request->open_files * 4, "limit of open files");
  limit(RLIMIT_CORE, 0, 0, "limit of core dumps");
  limit(RLIMIT_MEMLOCK, 64 << 10, 64 << 10, "limit of locked memory");
  limit(RLIMIT_MSGQUEUE, 0, 0, "limit of message queues");
  limit(RLIMIT_NICE, 0, 0, "limit of priority");
  limit(RLIMIT_RTPRIO, 0, 0, "limit of real-time priority");
  limit(RLIMIT_STACK, 8 << 20, 8 << 20, "limit of the stack");
}

static void close_doors(const struct request *request) {
  STEP("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  if (!(request->unprotected & UNPROTECTED_SECCOMP)) STEP("system call filter", filter_install(request->profile));
}

/* What it takes to enter a box made by somebody else: setns asks for the first two, in the namespaces' owner, and for
 * the third to take them from a process (PID 1, which is not dumpable). Capabilities of root survive exec. */
#define NURSERY_CAPS (1ull << CAP_SYS_ADMIN | 1ull << CAP_SYS_CHROOT | 1ull << CAP_SYS_PTRACE)

void privileges_of_nursery(void) {
  bound(NURSERY_CAPS);
  STEP("ambient set", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  set_caps(NURSERY_CAPS);
  STEP("no_new_privs", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  STEP("system call filter", filter_no_rings());
}

void privileges_drop(const struct request *request) {
  gid_t groups[MAX_GROUPS];
  for (size_t i = 0; i < request->group_count; i++)
    groups[i] = request->groups[i];
  uint64_t caps = caps_of(request);
  limits(request);
  STEP("keep capabilities over the change of ids", prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  STEP("groups", setgroups(request->group_count, groups));
  STEP("gid", setresgid(request->gid, request->gid, request->gid));
  STEP("uid", setresuid(request->uid, request->uid, request->uid));
  STEP("keep capabilities no longer", prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0));
  set_caps(caps);
  close_doors(request);
}

void privileges_drop_init(const struct request *request) {
  if (caps_of(request)) bound(0);
  set_caps(0);
  close_doors(request);
}
