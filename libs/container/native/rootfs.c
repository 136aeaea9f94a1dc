#include "rootfs.h"
#include "mount_api.h"
#include "mounts.h"
#include "resolv_conf.h"
#include "step.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

/* Mounts a layer at a name in the scratch folder, read-only. With the box's ids where the file system can (kernel 5.19
 * for overlay on it), else as it is: owners then appear as nobody, which hurts nobody who only reads. */
int mount_layer(const char *layer, const char *name, int userns, int idmap) {
  STEP("layer's mount point", mkdir(name, 0700));
  int tree = sys_open_tree(AT_FDCWD, layer, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  STEP("open layer", tree);
  const uint64_t flags = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  if (!idmap || sys_mount_setattr(tree, flags | MOUNT_ATTR_IDMAP, userns) < 0) {
    idmap = 0;
    STEP("layer's flags", sys_mount_setattr(tree, flags, -1));
  }
  STEP("mount layer", sys_move_mount(tree, AT_FDCWD, name));
  close(tree);
  return idmap;
}

static void mount_overlay(const struct request *request) {
  char options[4096];
  size_t used = (size_t)snprintf(options, sizeof options, "lowerdir=");
  for (size_t i = 0; i < request->layer_count; i++)
    used += (size_t)snprintf(options + used, sizeof options - used, "%sl/%zu", i ? ":" : "", i);
  /* Said explicitly: kernels differ in their defaults, and following redirects of an image's making is not ours to do.
   */
  snprintf(options + used, sizeof options - used,
           ",upperdir=%su,workdir=%sw,redirect_dir=nofollow,metacopy=off,index=off,nfs_export=off,volatile",
           request->writable ? "d/" : "", request->writable ? "d/" : "");
  STEP("mount overlay", mount("overlay", "m", "overlay", MS_NOSUID | MS_NODEV, options));
}

static void own(const char *path, unsigned base, mode_t mode) {
  STEP("writable folder", mkdir(path, mode));
  STEP("writable folder's owner", chown(path, base, base));
  STEP("writable folder's mode", chmod(path, mode));
}

/* What the box writes lies in a folder of the host, with the host's numbers of its ids. */
static void mount_writable(const struct request *request, unsigned base) {
  STEP("writable folder's mount point", mkdir("d", 0700));
  int tree = sys_open_tree(AT_FDCWD, request->writable, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  STEP("open writable folder", tree);
  STEP("writable folder's flags", sys_mount_setattr(tree, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, -1));
  STEP("mount writable folder", sys_move_mount(tree, AT_FDCWD, "d"));
  close(tree);
  /* Of a kept box that starts again it is there, and its owner and mode are what the box made of them. */
  if (access("d/u", F_OK) < 0) own("d/u", base, 0755);
  STEP("overlay's work folder", mkdir("d/w", 0700));
}

/* Folders that the image lacks, as other runtimes make them (an image FROM scratch has none), of an owner by its ids on
 * the host. What cannot be made is missed by who needs it; beyond a link nothing is made. */
static void make_folders(int root, const char *path, unsigned uid, unsigned gid) {
  char rest[PATH_MAX], *state;
  snprintf(rest, sizeof rest, "%s", path);
  int parent = open_inside(root, ".");
  for (char *name = strtok_r(rest, "/", &state); name && parent >= 0; name = strtok_r(NULL, "/", &state)) {
    int at = open_inside(parent, name);
    if (at < 0 && errno == ENOENT && mkdirat(parent, name, 0755) == 0 &&
        fchownat(parent, name, uid, gid, AT_SYMLINK_NOFOLLOW) == 0 && fchmodat(parent, name, 0755, 0) == 0)
      at = open_inside(parent, name);
    close(parent);
    parent = at;
  }
  if (parent >= 0) close(parent);
}

/* What /proc shows of the host and what it lets be changed: Docker's and containerd's lists. Entries that a kernel
 * lacks are skipped. */
static const char *const masked_files[] = {"interrupts",  "kcore",      "keys",       "latency_stats",
                                           "sched_debug", "timer_list", "timer_stats"};
static const char *const masked_dirs[] = {"acpi", "asound", "scsi"};
static const char *const readonly[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
#define COUNT(list) (sizeof(list) / sizeof *(list))

static void cover(int proc, const char *name, const char *with) {
  int at = sys_openat2(proc, name, O_PATH | O_CLOEXEC, RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH);
  if (at < 0 && errno == ENOENT) return;
  STEP("mask /proc", at);
  int tree = with ? sys_open_tree(AT_FDCWD, with, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
                  : sys_open_tree(at, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
  STEP("mask /proc", tree);
  if (!with) STEP("read-only /proc", sys_mount_setattr(tree, MOUNT_ATTR_RDONLY, -1));
  STEP("mask /proc", sys_move_mount(tree, at, ""));
  close(tree);
  close(at);
}

static void mount_proc(const struct request *request, const struct workshop *workshop, int root) {
  int fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
  STEP("open /proc", fs);
  STEP("create /proc", syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
  int tree = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
  STEP("mount /proc", tree);
  close(fs);
  place(tree, root, "proc", "place /proc (it must be an ordinary folder of the image)");
  if (request->unprotected & UNPROTECTED_MASKS) return;
  int proc = open_inside(root, "proc");
  STEP("enter /proc", proc);
  char null[300];
  snprintf(null, sizeof null, "%s/null", workshop->dev);
  for (size_t i = 0; i < COUNT(masked_files); i++)
    cover(proc, masked_files[i], null);
  for (size_t i = 0; i < COUNT(masked_dirs); i++)
    cover(proc, masked_dirs[i], workshop->empty);
  for (size_t i = 0; i < COUNT(readonly); i++)
    cover(proc, readonly[i], NULL);
  close(proc);
}

/* Terminals of its own, apart from the host's. */
static void mount_terminals(int root, unsigned base) {
  char options[80];
  snprintf(options, sizeof options, "newinstance,ptmxmode=0666,mode=0620,gid=%u", base + 5);
  STEP("terminals' mount point", mkdir("pts", 0755));
  STEP("mount terminals", mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, options));
  place(sys_open_tree(AT_FDCWD, "pts", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), root, "dev/pts", "place /dev/pts");
}

int rootfs_enter(const struct request *request, const struct workshop *workshop, int userns, unsigned base) {
  char options[128];
  /* Files of the writable layer are bounded in number as in bytes. */
  unsigned long long inodes = request->tmp_bytes / 4096 < 4096 ? 4096 : request->tmp_bytes / 4096;
  snprintf(options, sizeof options, "size=%llu,nr_inodes=%llu,mode=0711", (unsigned long long)request->tmp_bytes,
           inodes);
  STEP("mount writable layer", mount("mayfly", workshop->scratch, "tmpfs", MS_NOSUID | MS_NODEV, options));
  STEP("enter writable layer", chdir(workshop->scratch));
  own("shm", base, 01777);
  if (request->writable) {
    mount_writable(request, base);
  } else {
    own("u", base, 0755);
    STEP("overlay's work folder", mkdir("w", 0700));
  }
  STEP("overlay's mount point", mkdir("m", 0700));
  STEP("layers' folder", mkdir("l", 0700));
  int idmap = !request->no_idmap;
  for (size_t i = 0; i < request->layer_count; i++) {
    char name[24];
    snprintf(name, sizeof name, "l/%zu", i);
    idmap = mount_layer(request->layers[i], name, userns, idmap);
  }
  mount_overlay(request);

  int root = open("m", O_PATH | O_DIRECTORY | O_CLOEXEC);
  STEP("open root", root);
  make_folders(root, "dev", base, base);
  make_folders(root, "proc", base, base);
  if (request->resolv_conf) mount_resolv_conf(root, request->resolv_conf, base);
  place(sys_open_tree(AT_FDCWD, workshop->dev, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC), root, "dev",
        "place /dev (it must be an ordinary folder of the image)");
  int shm = sys_open_tree(AT_FDCWD, "shm", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  STEP("open /dev/shm", shm);
  STEP("/dev/shm's flags", sys_mount_setattr(shm, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, -1));
  place(shm, root, "dev/shm", "place /dev/shm");
  struct ids ids = {.userns = userns, .base = base, .idmap = idmap};
  for (size_t i = 0; i < request->mount_count; i++)
    mount_besides(request, i, root, &ids);
  /* Behind them: nothing that a box is given covers any of it. */
  if (request->has_terminal) mount_terminals(root, base);
  mount_proc(request, workshop, root);
  /* What a build keeps of it is its user's, as BuildKit makes it. */
  if (request->writable)
    make_folders(root, request->cwd, base + request->uid, base + request->gid);
  else
    make_folders(root, request->cwd, base, base);

  STEP("enter root", fchdir(root));
  STEP("pivot_root", sys_pivot_root(".", "."));
  STEP("drop the host's root", umount2(".", MNT_DETACH));
  STEP("enter root", chdir("/"));
  close(root);
  return idmap;
}
