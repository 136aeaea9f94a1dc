/* What the file system of a box shows and lets be changed. */
#include "probe.h"

#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A file under a mask is /dev/null. */
static void file_mask(const char *path) {
  struct stat found;
  if (stat(path, &found) < 0) return say(path, strerrorname_np(errno));
  say(path, S_ISCHR(found.st_mode) && found.st_rdev == makedev(1, 3) ? "masked" : "shown");
}

/* A folder under a mask is an empty one. */
static void folder_mask(const char *path) {
  DIR *dir = opendir(path);
  if (!dir) return say(path, strerrorname_np(errno));
  int entries = 0;
  while (readdir(dir))
    entries++;
  closedir(dir);
  say(path, entries == 2 ? "masked" : "shown");
}

static void flags_of(const char *name, const char *path) {
  struct statvfs found;
  if (statvfs(path, &found) < 0) return say(name, strerrorname_np(errno));
  char text[64];
  snprintf(text, sizeof text, "%s%s%s%s", found.f_flag & ST_RDONLY ? "ro" : "rw",
           found.f_flag & ST_NOSUID ? " nosuid" : "", found.f_flag & ST_NODEV ? " nodev" : "",
           found.f_flag & ST_NOEXEC ? " noexec" : "");
  say(name, text);
}

/* Numbers in /proc: the processes that are visible. */
static void processes(void) {
  DIR *dir = opendir("/proc");
  char seen[512] = "";
  struct dirent *entry;
  while (dir && (entry = readdir(dir)))
    if (atoi(entry->d_name) > 0)
      snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%s", *seen ? " " : "", entry->d_name);
  if (dir) closedir(dir);
  say("processes", seen);
}

/* Whether a path of the host's is told by the mounts of the box. */
static void host_paths(const char *needle) {
  static char text[1 << 16];
  int fd = open("/proc/self/mountinfo", O_RDONLY);
  ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  text[length > 0 ? length : 0] = 0;
  say("host paths in mountinfo", strstr(text, needle) ? "shown" : "none");
}

void try_files(void) {
  static const char *const masked[] = {"/proc/interrupts",    "/proc/kcore",       "/proc/keys",
                                       "/proc/latency_stats", "/proc/sched_debug", "/proc/timer_list",
                                       "/proc/timer_stats"};
  for (size_t i = 0; i < sizeof masked / sizeof *masked; i++)
    file_mask(masked[i]);
  folder_mask("/proc/acpi");
  folder_mask("/proc/asound");
  folder_mask("/proc/scsi");
  flags_of("flags of /", "/");
  flags_of("flags of /proc", "/proc");
  flags_of("flags of /proc/sys", "/proc/sys");
  flags_of("flags of /proc/irq", "/proc/irq");
  flags_of("flags of /proc/fs", "/proc/fs");
  flags_of("flags of /proc/bus", "/proc/bus");
  flags_of("flags of /proc/sysrq-trigger", "/proc/sysrq-trigger");
  flags_of("flags of /dev", "/dev");
  flags_of("flags of /dev/shm", "/dev/shm");
  tried("mknod device", mknod("/tmp/probe-device", S_IFCHR | 0600, makedev(1, 1)));
  tried("open /proc/1/exe", open("/proc/1/exe", O_RDONLY));
  tried("open /proc/1/mem", open("/proc/1/mem", O_RDWR));
  tried("open /proc/1/root", open("/proc/1/root/", O_RDONLY));
  tried("open /proc/1/fd", open("/proc/1/fd", O_RDONLY | O_DIRECTORY));
  tried("open /proc/1/environ", open("/proc/1/environ", O_RDONLY));
  tried("write core_pattern", open("/proc/sys/kernel/core_pattern", O_WRONLY));
  tried("write ip_forward", open("/proc/sys/net/ipv4/ip_forward", O_WRONLY));
  tried("open /sys", open("/sys/kernel", O_RDONLY));
  tried("open cgroup", open("/sys/fs/cgroup", O_RDONLY));
  tried("make in /dev", open("/dev/probe", O_CREAT | O_WRONLY, 0600));
  tried("chmod /dev/null", chmod("/dev/null", 0600));
  tried("open /dev/mem", open("/dev/mem", O_RDONLY));
  tried("open /dev/kmsg", open("/dev/kmsg", O_RDONLY));
  tried("open /dev/tty", open("/dev/tty", O_RDWR));
  tried("open /dev/null", open("/dev/null", O_RDWR));
  tried("open /dev/urandom", open("/dev/urandom", O_RDONLY));
  tried("write /dev/shm", open("/dev/shm/probe", O_CREAT | O_WRONLY, 0600));
  tried("write /tmp", open("/tmp/probe", O_CREAT | O_WRONLY, 0600));
  tried("write /etc", open("/etc/probe", O_CREAT | O_WRONLY, 0600));
  processes();
  host_paths("/tmp/");
}
