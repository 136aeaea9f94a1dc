/*
 * A program that tries what a box must refuse. It prints one JSON object: probe → what the system answered ("ok", or an
 * errno's name, or what was found). It is static, so that it runs in any image, and it harms nothing when a try
 * succeeds.
 *
 *   probe            all probes
 *   probe spin|exit N|hog MIB|orphans N|threads N|fill PATH     behaviours for tests of endings and limits
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int count;

static void say(const char *name, const char *answer) {
  printf("%s\n  \"%s\": \"%s\"", count++ ? "," : "{", name, answer);
}

static void tried(const char *name, long result) {
  say(name, result >= 0 ? "ok" : strerrorname_np(errno));
  if (result > 2) close((int)result);
}

/* Runs a try in a child, whose success may change it for good. */
static void in_child(const char *name, long (*attempt)(void)) {
  fflush(stdout);
  int answer[2];
  if (pipe(answer)) return;
  pid_t pid = fork();
  if (pid == 0) {
    errno = 0;
    long result = attempt();
    int error = result >= 0 ? 0 : errno;
    (void)!write(answer[1], &error, sizeof error);
    _exit(0);
  }
  close(answer[1]);
  int error = -1;
  ssize_t got = read(answer[0], &error, sizeof error);
  close(answer[0]);
  int status;
  waitpid(pid, &status, 0);
  char killed[32];
  snprintf(killed, sizeof killed, "signal %d", WTERMSIG(status));
  say(name, got != sizeof error ? killed : error == 0 ? "ok" : strerrorname_np(error));
}

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
static long clone_user(void) {
  return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
}
static long clone3(void) {
  struct {
    uint64_t flags, a[10];
  } args = {.flags = CLONE_NEWUSER};
  return syscall(SYS_clone3, &args, sizeof args);
}
static long become_root(void) {
  return setuid(0);
}
static long trace(void) {
  return ptrace(PTRACE_TRACEME, 0, 0, 0);
}
static long chroot_here(void) {
  return chroot("/");
}
static long x32(void) {
  return syscall(0x40000000 | SYS_getpid);
}
static long i386(void) {
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L /* getpid */) : "memory");
  return result;
}

static void namespaces(void) {
  in_child("unshare user", unshare_user);
  in_child("unshare mount", unshare_mount);
  in_child("unshare net", unshare_net);
  in_child("unshare pid", unshare_pid);
  in_child("clone newuser", clone_user);
  in_child("clone3", clone3);
  tried("setns", setns(open("/proc/self/ns/mnt", O_RDONLY), 0));
}

static void calls(void) {
  tried("mount tmpfs", mount("tmpfs", "/tmp", "tmpfs", 0, ""));
  tried("umount /proc", umount2("/proc", MNT_DETACH));
  tried("pivot_root", syscall(SYS_pivot_root, ".", "."));
  tried("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1u));
  tried("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  tried("mount_setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, NULL, 0));
  tried("add_key", syscall(SYS_add_key, "user", "probe", "x", 1, KEY_SPEC_SESSION_KEYRING));
  tried("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0));
  tried("request_key", syscall(SYS_request_key, "user", "probe", NULL, 0));
  union bpf_attr bpf = {0};
  tried("bpf", syscall(SYS_bpf, BPF_PROG_LOAD, &bpf, sizeof bpf));
  struct perf_event_attr perf = {.type = PERF_TYPE_SOFTWARE, .size = sizeof perf};
  tried("perf_event_open", syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0));
  tried("userfaultfd", syscall(SYS_userfaultfd, 1));
  tried("io_uring_setup", syscall(SYS_io_uring_setup, 1, NULL));
  tried("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
  tried("init_module", syscall(SYS_init_module, NULL, 0, ""));
  tried("reboot", syscall(SYS_reboot, 0, 0, 0, 0));
  tried("swapon", syscall(SYS_swapon, "/tmp", 0));
  tried("acct", syscall(SYS_acct, NULL));
  tried("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
  tried("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, NULL, 0));
  tried("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0));
  tried("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
  tried("process_vm_readv", syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0));
  tried("kcmp", syscall(SYS_kcmp, getpid(), getpid(), 0, 0, 0));
  tried("personality", syscall(SYS_personality, 0x0040000));
  tried("syslog", syscall(SYS_syslog, 10, NULL, 0));
  tried("quotactl", syscall(SYS_quotactl, 0, NULL, 0, NULL));
  tried("lookup_dcookie", syscall(SYS_lookup_dcookie, 0, NULL, 0));
  tried("memfd_secret", syscall(SYS_memfd_secret, 0));
  tried("newer than the list", syscall(462, 0));
  in_child("ptrace", trace);
  in_child("chroot", chroot_here);
  in_child("x32 call", x32);
  in_child("i386 call", i386);
}

static void sockets(void) {
  tried("socket AF_ALG", socket(38, SOCK_SEQPACKET, 0));
  tried("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW, 0));
  tried("socket AF_VSOCK", socket(40, SOCK_STREAM, 0));
  tried("socket AF_XDP", socket(44, SOCK_RAW, 0));
  tried("socket AF_KEY", socket(15, SOCK_RAW, 2));
  tried("socket AF_RXRPC", socket(33, SOCK_DGRAM, 2));
  tried("socket NETLINK_XFRM", socket(AF_NETLINK, SOCK_RAW, 6));
  tried("socket NETLINK_NETFILTER", socket(AF_NETLINK, SOCK_RAW, 12));
  tried("socket NETLINK_ROUTE", socket(AF_NETLINK, SOCK_RAW, 0));
  tried("socket AF_UNIX", socket(AF_UNIX, SOCK_STREAM, 0));
  tried("socket AF_INET", socket(AF_INET, SOCK_STREAM, 0));
  tried("socket raw", socket(AF_INET, SOCK_RAW, 1));
  int tcp = socket(AF_INET, SOCK_STREAM, 0);
  tried("TCP_ULP", setsockopt(tcp, 6, 31, "espintcp", 9));
  int on = 1;
  tried("TCP_NODELAY", setsockopt(tcp, 6, 1, &on, sizeof on));
  int udp = socket(AF_INET, SOCK_DGRAM, 0);
  tried("UDP_ENCAP", setsockopt(udp, 17, 100, &on, sizeof on));
  close(tcp);
  close(udp);
  tried("TIOCSTI", ioctl(0, 0x5412, "x"));
  tried("TIOCSTI with high bits", syscall(SYS_ioctl, 0, 0x100005412ul, "x"));
  tried("TIOCLINUX", ioctl(0, 0x541c, "x"));
}

static void files(void) {
  tried("mknod device", mknod("/tmp/probe-device", S_IFCHR | 0600, makedev(1, 1)));
  tried("open /proc/kcore", open("/proc/kcore", O_RDONLY));
  tried("open /proc/1/exe", open("/proc/1/exe", O_RDONLY));
  tried("write /proc/1/exe", open("/proc/1/exe", O_WRONLY));
  tried("open /proc/1/mem", open("/proc/1/mem", O_RDWR));
  tried("list /proc/1/fd",
        open("/proc/1/fd", O_RDONLY | O_DIRECTORY) >= 0 ? syscall(SYS_getdents64, 3, (char[4096]){0}, 4096) : -1);
  tried("open /proc/1/root", open("/proc/1/root/", O_RDONLY));
  tried("write sysrq-trigger", open("/proc/sysrq-trigger", O_WRONLY));
  tried("write core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
  tried("write ip_forward", open("/proc/sys/net/ipv4/ip_forward", O_WRONLY));
  tried("write oom_score_adj lower", open("/proc/1/oom_score_adj", O_WRONLY));
  tried("open /sys", open("/sys/kernel", O_RDONLY));
  tried("open cgroup", open("/sys/fs/cgroup", O_RDONLY));
  tried("write /dev", open("/dev/probe", O_CREAT | O_WRONLY, 0600));
  tried("chmod /dev/null", chmod("/dev/null", 0600));
  tried("open /dev/mem", open("/dev/mem", O_RDONLY));
  tried("open /dev/kmsg", open("/dev/kmsg", O_RDONLY));
  tried("open /dev/null", open("/dev/null", O_WRONLY));
  tried("write /dev/shm", open("/dev/shm/probe", O_CREAT | O_WRONLY, 0600));
  tried("write /tmp", open("/tmp/probe", O_CREAT | O_WRONLY, 0600));
  tried("write /etc", open("/etc/probe", O_CREAT | O_WRONLY, 0600));
  struct stat stat_null;
  char size[32] = "absent";
  if (stat("/proc/interrupts", &stat_null) == 0)
    snprintf(size, sizeof size, S_ISCHR(stat_null.st_mode) ? "masked" : "shown");
  say("/proc/interrupts", size);
  in_child("setuid 0", become_root);
  tried("kill host process", kill(2, 0) == 0 && getpid() != 2 ? 0 : -1);
}

static void value_of(const char *key) {
  static char text[8192];
  int fd = open("/proc/self/status", O_RDONLY);
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return;
  text[length] = 0;
  char *at = strstr(text, key);
  if (!at) return;
  at += strlen(key) + 1;
  at += strspn(at, " \t");
  at[strcspn(at, "\n")] = 0;
  say(key, at);
}

static void self(void) {
  static const char *const keys[] = {"CapInh", "CapPrm",     "CapEff",  "CapBnd",
                                     "CapAmb", "NoNewPrivs", "Seccomp", "Groups"};
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
    value_of(keys[i]);
  char fds[256] = "";
  for (int fd = 0; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) >= 0) snprintf(fds + strlen(fds), sizeof fds - strlen(fds), "%s%d", *fds ? " " : "", fd);
  say("descriptors", fds);
  struct rlimit limit;
  char text[64];
  getrlimit(RLIMIT_CORE, &limit);
  snprintf(text, sizeof text, "%lu", (unsigned long)limit.rlim_max);
  say("core limit", text);
  getrlimit(RLIMIT_NOFILE, &limit);
  snprintf(text, sizeof text, "%lu", (unsigned long)limit.rlim_cur);
  say("open files limit", text);
  snprintf(text, sizeof text, "%d", getpid());
  say("pid", text);
  snprintf(text, sizeof text, "%d:%d", getuid(), getgid());
  say("ids", text);
}

static void *sleeper(void *unused) {
  pause();
  return unused;
}

static int behave(int argc, char **argv) {
  long n = argc > 2 ? atol(argv[2]) : 0;
  if (!strcmp(argv[1], "spin"))
    for (;;)
      ;
  if (!strcmp(argv[1], "exit")) return (int)n;
  if (!strcmp(argv[1], "signal")) return raise((int)n);
  if (!strcmp(argv[1], "hog")) {
    for (long i = 0; i < n; i++)
      memset(malloc(1 << 20), 1, 1 << 20);
    return 0;
  }
  if (!strcmp(argv[1], "orphans")) { /* grandchildren that end after their parent: PID 1 has to reap them */
    for (long i = 0; i < n; i++)
      if (fork() == 0) {
        if (fork() == 0) _exit(0);
        _exit(0);
      } else {
        wait(NULL);
      }
    usleep(100000);
    char line[64];
    FILE *pipe = NULL;
    (void)pipe;
    snprintf(line, sizeof line, "done");
    puts(line);
    return 0;
  }
  if (!strcmp(argv[1], "forks")) { /* as many children as it may have; says how many and why no more */
    long made = 0;
    while (made < n) {
      pid_t pid = fork();
      if (pid < 0) break;
      if (pid == 0) {
        pause();
        _exit(0);
      }
      made++;
    }
    printf("%ld %s\n", made, made < n ? strerrorname_np(errno) : "ok");
    return 0;
  }
  if (!strcmp(argv[1], "threads")) {
    pthread_t thread;
    long made = 0;
    while (made < n && pthread_create(&thread, NULL, sleeper, NULL) == 0)
      made++;
    printf("%ld\n", made);
    return 0;
  }
  if (!strcmp(argv[1], "fill")) { /* writes until it may not */
    static char block[1 << 16];
    int fd = open(argc > 3 ? argv[3] : "/tmp/fill", O_CREAT | O_WRONLY, 0600);
    long written = 0;
    while (written < n << 20) {
      ssize_t wrote = write(fd, block, sizeof block);
      if (wrote < 0) break;
      written += wrote;
    }
    printf("%ld %s\n", written >> 20, written < n << 20 ? strerrorname_np(errno) : "ok");
    return 0;
  }
  return 64;
}

int main(int argc, char **argv) {
  if (argc > 1) return behave(argc, argv);
  /* On a host some of these tries would succeed, and stay: only where we are the child of a box's PID 1. */
  if (getppid() != 1 || getpid() > 16) {
    fprintf(stderr, "probe: this runs in a box only\n");
    return 77;
  }
  namespaces();
  calls();
  sockets();
  files();
  self();
  puts("\n}");
  return 0;
}
