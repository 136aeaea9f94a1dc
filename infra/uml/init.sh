#!/bin/sh
# PID 1 of the second kernel (Debian's user-mode-linux): the host's files as root, cgroup v2 only. Started by infra/src/second-kernel/kernel.ts.
# $mayfly_dir comes from the kernel's command line: what the kernel does not know, it gives to init as environment. There lie
#   run      the command (in)        booted   made when the command starts (out)
#   output   what it wrote (out)     status   its exit status (out)
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What fails here is on the console, and the host shows the console's end when `booted` does not come.
set -e
mount -t proc -o nosuid,nodev,noexec proc /proc
mount -t sysfs -o nosuid,nodev,noexec sys /sys
# hostfs would pass what is written on to the host: run-time files and temporary ones stay in here and end with it.
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir -p /dev/shm /dev/pts /run/tmp
chmod 1777 /run/tmp
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts

# As systemd leaves it on a host: controllers enabled for the root's children. Mayfly does not write there itself.
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 /sys/fs/cgroup
echo "+cpu +memory +pids +io" > /sys/fs/cgroup/cgroup.subtree_control

insmod "/usr/lib/uml/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko"

# lo up (SIOCSIFFLAGS, IFF_UP): by perl-base, which every Debian has; ip(8) is not everywhere.
perl -e 'use Socket; socket(S, AF_INET, SOCK_DGRAM, 0) or die $!; $r = pack("a16 s x22", "lo", 1); ioctl(S, 0x8914, $r) or die "lo up: $!"'
set +e

export HOME=/run TMPDIR=/run/tmp
: > "$mayfly_dir/booted"
sh "$mayfly_dir/run" > "$mayfly_dir/output" 2>&1 < /dev/null
status=$?
sync
echo $status > "$mayfly_dir/status.part"
# Whoever reads `status` finds it whole, and ends this kernel from outside: halt(8) belongs to an init system that a container may not have.
mv "$mayfly_dir/status.part" "$mayfly_dir/status"
while :; do sleep 1; done
