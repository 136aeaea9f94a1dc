#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Refusal is the default. An architecture other than x86-64, and x32, would reach other calls by the same numbers: the
 * process is killed. */
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN (SECCOMP_RET_ERRNO | ENOSYS)
/* The newest call that this list was made with knowledge of; libraries probe newer ones and want ENOSYS to fall back.
 */
#define NEWEST_KNOWN 450
#define X32_BIT 0x40000000u
#define NAMESPACE_FLAGS 0x7e020080u /* CLONE_NEW{TIME,NS,CGROUP,UTS,IPC,USER,PID,NET} */

static const int always[] = {
#define ALWAYS(name) SYS_##name,
#define BUILD(name)
#include "syscalls.h"
#undef ALWAYS
#undef BUILD
};
static const int build_only[] = {
#define ALWAYS(name)
#define BUILD(name) SYS_##name,
#include "syscalls.h"
#undef ALWAYS
#undef BUILD
};

enum { MAX_PROGRAM = 1024 };
struct program {
  struct sock_filter code[MAX_PROGRAM];
  unsigned short length;
};
static struct program programs[2];

static void emit(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf) {
  if (p->length == MAX_PROGRAM) abort();
  p->code[p->length++] = (struct sock_filter){.code = code, .k = k, .jt = jt, .jf = jf};
}

static void ret(struct program *p, uint32_t action) {
  emit(p, BPF_RET | BPF_K, action, 0, 0);
}
static void load(struct program *p, size_t offset) {
  emit(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}
/* Low half of an argument: an int argument's high half is the caller's to fill, and the kernel does not look at it. */
static void load_arg(struct program *p, int n) {
  load(p, offsetof(struct seccomp_data, args) + 8 * (size_t)n);
}

/* Begins a block that only call `nr` enters; answers where its jump has to be patched. The accumulator holds the number
 * before. */
static unsigned short begin_case(struct program *p, int nr) {
  emit(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 0);
  return p->length - 1;
}
static void end_case(struct program *p, unsigned short jump) {
  p->code[jump].jf = (uint8_t)(p->length - jump - 1);
}

/* `if (accumulator == value) return action` */
static void if_equal(struct program *p, uint32_t value, uint32_t action) {
  emit(p, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
  ret(p, action);
}

static void socket_families(struct program *p) {
  unsigned short jump = begin_case(p, SYS_socket);
  load_arg(p, 0);
  if_equal(p, 1 /* AF_UNIX */, SECCOMP_RET_ALLOW);
  if_equal(p, 2 /* AF_INET */, SECCOMP_RET_ALLOW);
  if_equal(p, 10 /* AF_INET6 */, SECCOMP_RET_ALLOW);
  emit(p, BPF_JMP | BPF_JEQ | BPF_K, 16 /* AF_NETLINK, for getifaddrs: NETLINK_ROUTE only */, 0, 5);
  load_arg(p, 2);
  if_equal(p, 0, SECCOMP_RET_ALLOW);
  /* useradd and its like go on without an audit only when there is no such thing. */
  if_equal(p, 9 /* NETLINK_AUDIT */, SECCOMP_RET_ERRNO | EPROTONOSUPPORT);
  ret(p, REFUSE);
  end_case(p, jump);
}

/* Other families' pairs would load and reach the same code as their sockets. */
static void socket_pairs(struct program *p) {
  unsigned short jump = begin_case(p, SYS_socketpair);
  load_arg(p, 0);
  if_equal(p, 1 /* AF_UNIX */, SECCOMP_RET_ALLOW);
  ret(p, REFUSE);
  end_case(p, jump);
}

/* Kernel page-cache bugs were reached through ESP in TCP (TCP_ULP) and UDP_ENCAP. */
static void socket_options(struct program *p) {
  unsigned short jump = begin_case(p, SYS_setsockopt);
  load_arg(p, 1);
  emit(p, BPF_JMP | BPF_JEQ | BPF_K, 6 /* IPPROTO_TCP */, 0, 3);
  load_arg(p, 2);
  if_equal(p, 31 /* TCP_ULP */, REFUSE);
  load_arg(p, 1);
  emit(p, BPF_JMP | BPF_JEQ | BPF_K, 17 /* IPPROTO_UDP */, 0, 3);
  load_arg(p, 2);
  if_equal(p, 100 /* UDP_ENCAP */, REFUSE);
  ret(p, SECCOMP_RET_ALLOW);
  end_case(p, jump);
}

static void terminal_injection(struct program *p) {
  unsigned short jump = begin_case(p, SYS_ioctl);
  load_arg(p, 1);
  if_equal(p, 0x5412 /* TIOCSTI */, REFUSE);
  if_equal(p, 0x541c /* TIOCLINUX */, REFUSE);
  ret(p, SECCOMP_RET_ALLOW);
  end_case(p, jump);
}

static void new_namespaces(struct program *p) {
  unsigned short jump = begin_case(p, SYS_clone);
  load_arg(p, 0);
  emit(p, BPF_JMP | BPF_JSET | BPF_K, NAMESPACE_FLAGS, 0, 1);
  ret(p, REFUSE);
  ret(p, SECCOMP_RET_ALLOW);
  end_case(p, jump);
  /* clone3 hides its flags behind a pointer; ENOSYS makes libraries use clone. */
  jump = begin_case(p, SYS_clone3);
  ret(p, UNKNOWN);
  end_case(p, jump);
}

static void personalities(struct program *p) {
  unsigned short jump = begin_case(p, SYS_personality);
  load_arg(p, 0);
  const uint32_t allowed[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
  for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
    if_equal(p, allowed[i], SECCOMP_RET_ALLOW);
  ret(p, REFUSE);
  end_case(p, jump);
}

/* Answers by binary search over the intervals of equal action: the kernel runs the program over all numbers once when
 * it is installed. */
static void search(struct program *p, const uint32_t *starts, const uint32_t *actions, size_t low, size_t high) {
  if (high - low == 1) return ret(p, actions[low]);
  size_t middle = low + (high - low) / 2;
  emit(p, BPF_JMP | BPF_JGE | BPF_K, starts[middle], 0, 1);
  unsigned short jump = p->length;
  emit(p, BPF_JMP | BPF_JA, 0, 0, 0);
  search(p, starts, actions, low, middle);
  p->code[jump].k = (uint32_t)(p->length - jump - 1);
  search(p, starts, actions, middle, high);
}

static void compile(struct program *p, const uint8_t *allowed) {
  load(p, offsetof(struct seccomp_data, arch));
  emit(p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
  ret(p, SECCOMP_RET_KILL_PROCESS);
  load(p, offsetof(struct seccomp_data, nr));
  emit(p, BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1);
  ret(p, SECCOMP_RET_KILL_PROCESS);
  socket_families(p);
  socket_pairs(p);
  socket_options(p);
  terminal_injection(p);
  new_namespaces(p);
  personalities(p);
  uint32_t starts[NEWEST_KNOWN + 2], actions[NEWEST_KNOWN + 2];
  size_t count = 0;
  for (uint32_t nr = 0; nr <= NEWEST_KNOWN; nr++) {
    uint32_t action = allowed[nr] ? SECCOMP_RET_ALLOW : REFUSE;
    if (count && actions[count - 1] == action) continue;
    starts[count] = nr;
    actions[count++] = action;
  }
  starts[count] = NEWEST_KNOWN + 1;
  actions[count++] = UNKNOWN;
  search(p, starts, actions, 0, count);
}

void filter_compile(void) {
  uint8_t allowed[NEWEST_KNOWN + 1] = {0};
  for (size_t i = 0; i < sizeof always / sizeof *always; i++)
    allowed[always[i]] = 1;
  compile(&programs[PROFILE_FUNCTION], allowed);
  for (size_t i = 0; i < sizeof build_only / sizeof *build_only; i++)
    allowed[build_only[i]] = 1;
  compile(&programs[PROFILE_BUILD], allowed);
}

int filter_install(enum profile profile) {
  struct sock_fprog program = {.len = programs[profile].length, .filter = programs[profile].code};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

/* libuv would make a ring for the main loop as soon as it can, and every fork would share it. A box's own filter
 * refuses the call as well. */
int filter_no_rings(void) {
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, UNKNOWN),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
