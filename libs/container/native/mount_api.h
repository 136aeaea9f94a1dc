/* System calls of the mount API that the C library of Debian 12 declares in part or not at all. */
#pragma once
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int sys_open_tree(int dir, const char *path, unsigned flags) {
  return (int)syscall(SYS_open_tree, dir, path, flags);
}
static inline int sys_move_mount(int from, int to, const char *path) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH);
  return (int)syscall(SYS_move_mount, from, "", to, path, flags);
}
static inline int sys_mount_setattr(int fd, uint64_t set, int userns) {
  struct mount_attr attr = {.attr_set = set, .userns_fd = userns < 0 ? 0 : (uint64_t)userns};
  return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr);
}
static inline int sys_openat2(int dir, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags, .resolve = resolve};
  return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}
static inline int sys_pivot_root(const char *to, const char *old) {
  return (int)syscall(SYS_pivot_root, to, old);
}
