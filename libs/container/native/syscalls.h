/* System calls that a box may make whatever their arguments, by profile. What is not here and not in filter.c's special
 * cases is refused with EPERM; what is newer than this list is refused with ENOSYS, so that libraries fall back. After
 * Docker's default profile, without what a function has no use for (ptrace, process_vm_*, memfd_secret, fanotify,
 * name_to_handle_at, lookup_dcookie, kcmp, …). Two columns: ALWAYS(name) for both profiles, BUILD(name) for build steps
 * alone (package managers and compilers need them). */

ALWAYS(accept)
ALWAYS(accept4)
ALWAYS(access) ALWAYS(alarm) ALWAYS(arch_prctl) ALWAYS(bind) ALWAYS(brk) ALWAYS(capget) ALWAYS(capset) ALWAYS(
    chdir) ALWAYS(chmod) ALWAYS(chown) ALWAYS(clock_getres) ALWAYS(clock_gettime) ALWAYS(clock_nanosleep) ALWAYS(close)
    ALWAYS(close_range) ALWAYS(connect) ALWAYS(copy_file_range) ALWAYS(creat) ALWAYS(dup) ALWAYS(dup2) ALWAYS(
        dup3) ALWAYS(epoll_create) ALWAYS(epoll_create1) ALWAYS(epoll_ctl) ALWAYS(epoll_ctl_old) ALWAYS(epoll_pwait)
        ALWAYS(epoll_pwait2) ALWAYS(epoll_wait) ALWAYS(epoll_wait_old) ALWAYS(eventfd) ALWAYS(eventfd2) ALWAYS(
            execve) ALWAYS(execveat) ALWAYS(exit) ALWAYS(exit_group) ALWAYS(faccessat) ALWAYS(faccessat2)
            ALWAYS(fadvise64) ALWAYS(fallocate) ALWAYS(fchdir) ALWAYS(fchmod) ALWAYS(fchmodat) ALWAYS(fchown) ALWAYS(
                fchownat) ALWAYS(fcntl) ALWAYS(fdatasync) ALWAYS(fgetxattr) ALWAYS(flistxattr) ALWAYS(flock) ALWAYS(fork)
                ALWAYS(fremovexattr) ALWAYS(fsetxattr) ALWAYS(fstat) ALWAYS(fstatfs) ALWAYS(fsync) ALWAYS(ftruncate) ALWAYS(
                    futex) ALWAYS(futex_waitv) ALWAYS(futimesat)
                    ALWAYS(getcpu) ALWAYS(getcwd) ALWAYS(getdents) ALWAYS(getdents64) ALWAYS(getegid) ALWAYS(geteuid) ALWAYS(
                        getgid) ALWAYS(getgroups) ALWAYS(getitimer) ALWAYS(getpeername) ALWAYS(getpgid) ALWAYS(getpgrp)
                        ALWAYS(getpid) ALWAYS(getppid) ALWAYS(getpriority) ALWAYS(getrandom) ALWAYS(getresgid) ALWAYS(
                            getresuid) ALWAYS(getrlimit) ALWAYS(get_robust_list)
                            ALWAYS(getrusage) ALWAYS(getsid) ALWAYS(getsockname) ALWAYS(
                                getsockopt) ALWAYS(get_thread_area) ALWAYS(gettid) ALWAYS(gettimeofday) ALWAYS(getuid) ALWAYS(getxattr)
                                ALWAYS(inotify_add_watch) ALWAYS(inotify_init) ALWAYS(inotify_init1) ALWAYS(
                                    inotify_rm_watch) ALWAYS(io_cancel) ALWAYS(io_destroy) ALWAYS(io_getevents) ALWAYS(io_pgetevents)
                                    ALWAYS(ioprio_get) ALWAYS(ioprio_set) ALWAYS(io_setup) ALWAYS(io_submit) ALWAYS(kill) ALWAYS(
                                        landlock_add_rule) ALWAYS(landlock_create_ruleset) ALWAYS(landlock_restrict_self) ALWAYS(lchown)
                                        ALWAYS(lgetxattr) ALWAYS(link) ALWAYS(linkat) ALWAYS(listen) ALWAYS(
                                            listxattr) ALWAYS(llistxattr) ALWAYS(lremovexattr) ALWAYS(lseek) ALWAYS(lsetxattr)
                                            ALWAYS(lstat) ALWAYS(madvise) ALWAYS(membarrier) ALWAYS(
                                                memfd_create) ALWAYS(mincore) ALWAYS(mkdir) ALWAYS(mkdirat) ALWAYS(mknod) ALWAYS(mknodat)
                                                ALWAYS(mlock) ALWAYS(mlock2) ALWAYS(mlockall) ALWAYS(mmap) ALWAYS(mprotect) ALWAYS(
                                                    mremap) ALWAYS(msync) ALWAYS(munlock) ALWAYS(munlockall) ALWAYS(munmap)
                                                    ALWAYS(nanosleep) ALWAYS(newfstatat) ALWAYS(open) ALWAYS(
                                                        openat) ALWAYS(openat2) ALWAYS(pause) ALWAYS(pidfd_open)
                                                        ALWAYS(pidfd_send_signal) ALWAYS(pipe) ALWAYS(pipe2) ALWAYS(
                                                            pkey_alloc) ALWAYS(pkey_free) ALWAYS(pkey_mprotect)
                                                            ALWAYS(poll) ALWAYS(ppoll) ALWAYS(prctl) ALWAYS(pread64) ALWAYS(
                                                                preadv) ALWAYS(preadv2) ALWAYS(prlimit64) ALWAYS(pselect6)
                                                                ALWAYS(pwrite64) ALWAYS(pwritev) ALWAYS(pwritev2) ALWAYS(read) ALWAYS(
                                                                    readahead) ALWAYS(readlink) ALWAYS(readlinkat) ALWAYS(readv)
                                                                    ALWAYS(recvfrom) ALWAYS(recvmmsg) ALWAYS(recvmsg) ALWAYS(
                                                                        remap_file_pages) ALWAYS(removexattr) ALWAYS(rename)
                                                                        ALWAYS(renameat) ALWAYS(renameat2) ALWAYS(restart_syscall) ALWAYS(
                                                                            rmdir) ALWAYS(rseq) ALWAYS(rt_sigaction)
                                                                            ALWAYS(rt_sigpending) ALWAYS(rt_sigprocmask) ALWAYS(
                                                                                rt_sigqueueinfo) ALWAYS(rt_sigreturn)
                                                                                ALWAYS(rt_sigsuspend) ALWAYS(rt_sigtimedwait) ALWAYS(
                                                                                    rt_tgsigqueueinfo) ALWAYS(sched_getaffinity)
                                                                                    ALWAYS(sched_getattr) ALWAYS(
                                                                                        sched_getparam) ALWAYS(sched_get_priority_max)
                                                                                        ALWAYS(sched_get_priority_min) ALWAYS(
                                                                                            sched_getscheduler) ALWAYS(sched_rr_get_interval)
                                                                                            ALWAYS(sched_setaffinity) ALWAYS(
                                                                                                sched_setattr) ALWAYS(sched_setparam)
                                                                                                ALWAYS(sched_setscheduler) ALWAYS(
                                                                                                    sched_yield) ALWAYS(seccomp)
                                                                                                    ALWAYS(select) ALWAYS(semctl) ALWAYS(
                                                                                                        semget) ALWAYS(semop) ALWAYS(semtimedop)
                                                                                                        ALWAYS(sendfile) ALWAYS(
                                                                                                            sendmmsg) ALWAYS(sendmsg)
                                                                                                            ALWAYS(sendto) ALWAYS(
                                                                                                                setfsgid) ALWAYS(setfsuid)
                                                                                                                ALWAYS(setgid) ALWAYS(
                                                                                                                    setgroups)
                                                                                                                    ALWAYS(
                                                                                                                        setitimer)
                                                                                                                        ALWAYS(
                                                                                                                            setpgid) ALWAYS(setpriority) ALWAYS(setregid) ALWAYS(setresgid) ALWAYS(setresuid) ALWAYS(setreuid) ALWAYS(setrlimit) ALWAYS(set_robust_list) ALWAYS(setsid) ALWAYS(set_thread_area) ALWAYS(set_tid_address) ALWAYS(setuid) ALWAYS(setxattr) ALWAYS(shmat) ALWAYS(shmctl) ALWAYS(shmdt) ALWAYS(shmget) ALWAYS(shutdown) ALWAYS(sigaltstack) ALWAYS(signalfd) ALWAYS(signalfd4) ALWAYS(socketpair) ALWAYS(splice) ALWAYS(stat) ALWAYS(statfs) ALWAYS(statx) ALWAYS(symlink) ALWAYS(symlinkat) ALWAYS(sync) ALWAYS(sync_file_range) ALWAYS(syncfs) ALWAYS(sysinfo) ALWAYS(tee) ALWAYS(tgkill) ALWAYS(time) ALWAYS(timer_create) ALWAYS(timer_delete) ALWAYS(timer_getoverrun) ALWAYS(timer_gettime) ALWAYS(timer_settime) ALWAYS(timerfd_create) ALWAYS(timerfd_gettime) ALWAYS(timerfd_settime) ALWAYS(times) ALWAYS(tkill) ALWAYS(truncate) ALWAYS(umask)
                                                                                                                            ALWAYS(uname) ALWAYS(unlink) ALWAYS(
                                                                                                                                unlinkat) ALWAYS(utime) ALWAYS(utimensat)
                                                                                                                                ALWAYS(utimes) ALWAYS(
                                                                                                                                    vfork) ALWAYS(vmsplice)
                                                                                                                                    ALWAYS(wait4) ALWAYS(waitid) ALWAYS(
                                                                                                                                        write) ALWAYS(writev)

                                                                                                                                        BUILD(chroot) BUILD(
                                                                                                                                            ptrace) BUILD(process_vm_readv)
                                                                                                                                            BUILD(
                                                                                                                                                process_vm_writev)
                                                                                                                                                BUILD(
                                                                                                                                                    name_to_handle_at)
                                                                                                                                                    BUILD(
                                                                                                                                                        kcmp)
