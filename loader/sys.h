/* SPDX-License-Identifier: MIT */
/*
 * Raw system calls, one inline function each, that return the result or -errno. Nothing here keeps state, and
 * nothing else in the tree issues a system call. Structures and constants are the kernel's (include/uapi); a unit
 * test holds them against the C library's headers.
 */
#ifndef RSTAT_LOADER_SYS_H
#define RSTAT_LOADER_SYS_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "loader/arch/x86_64.h"
#elif defined(__aarch64__)
#include "loader/arch/aarch64.h"
#else
#error "rstat knows x86_64 and aarch64; another architecture needs a loader/arch/NAME.h"
#endif

enum {	/* include/uapi/asm-generic/errno-base.h, errno.h: those the code tests for */
	SYS_EPERM = 1,
	SYS_ENOENT = 2,
	SYS_ESRCH = 3,
	SYS_EINTR = 4,
	SYS_EIO = 5,
	SYS_ENXIO = 6,
	SYS_E2BIG = 7,
	SYS_EBADF = 9,
	SYS_EAGAIN = 11,
	SYS_ENOMEM = 12,
	SYS_EACCES = 13,
	SYS_EEXIST = 17,
	SYS_ENODEV = 19,
	SYS_EISDIR = 21,
	SYS_EINVAL = 22,
	SYS_ENFILE = 23,
	SYS_EMFILE = 24,
	SYS_ENOTTY = 25,
	SYS_ENOSPC = 28,
	SYS_EPIPE = 32,
	SYS_ERANGE = 34,
	SYS_ENAMETOOLONG = 36,
	SYS_ENOSYS = 38,
	SYS_ENODATA = 61,
	SYS_EPROTO = 71,
	SYS_EOVERFLOW = 75,
	SYS_EOPNOTSUPP = 95,
};

enum {
	SYS_AT_FDCWD = -100,
	SYS_O_RDONLY = 0,
	SYS_O_WRONLY = 1,
	SYS_O_RDWR = 2,
	SYS_O_CREAT = 0100,
	SYS_O_EXCL = 0200,
	SYS_O_CLOEXEC = 02000000,
	SYS_O_NONBLOCK = 04000,
	SYS_O_PATH = 010000000,
	SYS_SEEK_SET = 0,
	SYS_PROT_NONE = 0,
	SYS_PROT_READ = 1,
	SYS_PROT_WRITE = 2,
	SYS_MAP_SHARED = 1,
	SYS_MAP_PRIVATE = 2,
	SYS_MAP_FIXED = 0x10,
	SYS_MAP_ANONYMOUS = 0x20,
	SYS_MAP_NORESERVE = 0x4000,
	SYS_MADV_DONTNEED = 4,
	SYS_CLOCK_REALTIME = 0,
	SYS_CLOCK_MONOTONIC = 1,
	SYS_CLOCK_BOOTTIME = 7,
	SYS_POLLIN = 1,
	SYS_POLLOUT = 4,
	SYS_POLLERR = 8,
	SYS_POLLHUP = 16,
	SYS_POLLNVAL = 32,
	SYS_SIG_BLOCK = 0,
	SYS_SIG_SETMASK = 2,
	SYS_SIGHUP = 1,
	SYS_SIGINT = 2,
	SYS_SIGUSR1 = 10,
	SYS_SIGUSR2 = 12,
	SYS_SIGPIPE = 13,
	SYS_SIGTERM = 15,
	SYS_SIGQUIT = 3,
	SYS_SIGCHLD = 17,
	SYS_SIGCONT = 18,
	SYS_SIGTSTP = 20,
	SYS_SIGTTIN = 21,
	SYS_SIGTTOU = 22,
	SYS_SIGWINCH = 28,
	SYS_PR_SET_NAME = 15,
	SYS_PR_SET_PDEATHSIG = 1,
	SYS_S_IFMT = 0170000,
	SYS_S_IFIFO = 0010000,
	SYS_S_IFREG = 0100000,
	SYS_TCGETS = 0x5401,
	SYS_TCSETS = 0x5402,
	SYS_TIOCGPGRP = 0x540f,
	SYS_TIOCGWINSZ = 0x5413,
	SYS_PR_SET_DUMPABLE = 4,
	SYS_PR_CAPBSET_DROP = 24,
	SYS_PR_SET_NO_NEW_PRIVS = 38,
	SYS_PR_CAP_AMBIENT = 47,
	SYS_PR_CAP_AMBIENT_CLEAR_ALL = 4,
	SYS_RLIMIT_CORE = 4,
	SYS_RLIMIT_NPROC = 6,
	SYS_RLIMIT_NOFILE = 7,
	SYS_RLIMIT_MEMLOCK = 8,
	SYS_FSOPEN_CLOEXEC = 1,
	SYS_FSMOUNT_CLOEXEC = 1,
	SYS_FSCONFIG_CMD_CREATE = 6,
	SYS_PERF_TYPE_TRACEPOINT = 2,
	SYS_PERF_FLAG_FD_CLOEXEC = 8,
	SYS_PERF_IOC_ENABLE = 0x2400,
	SYS_PERF_IOC_SET_BPF = 0x40042408,
	SYS_PAGE_SIZE_MIN = 4096,
};

struct sys_timespec {
	int64_t seconds, nanoseconds;
};

struct sys_itimerspec {
	struct sys_timespec interval, value;
};

struct sys_pollfd {
	int32_t fd;
	int16_t events, revents;
};

struct sys_sysinfo {	/* include/uapi/linux/sysinfo.h, 64-bit */
	int64_t uptime;
	uint64_t loads[3];	/* 1, 5, 15 minutes, 16 fractional bits */
	uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
};

struct sys_signalfd_siginfo {	/* include/uapi/linux/signalfd.h */
	uint32_t signal;
	uint8_t rest[124];
};

struct sys_winsize {
	uint16_t rows, columns, width, height;
};

enum {	/* include/uapi/asm-generic/termbits.h */
	SYS_IXON = 0002000,
	SYS_ICANON = 0000002,
	SYS_ECHO = 0000010,
	SYS_VTIME = 5,
	SYS_VMIN = 6,
};

struct sys_termios {	/* the kernel's, not the C library's */
	uint32_t input, output, control, local;
	uint8_t line, character[19];
};

struct sys_rlimit {
	uint64_t current, maximum;
};

struct sys_perf_event {	/* PERF_ATTR_SIZE_VER0 of struct perf_event_attr, include/uapi/linux/perf_event.h */
	uint32_t type, size;
	uint64_t config, sample_period, sample_type, read_format, flags;
	uint32_t wakeup_events, bp_type;
	uint64_t bp_addr;
};

struct sys_utsname {
	char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65];
};

struct sys_capability {	/* version 3: two 32-bit words of each set */
	struct {
		uint32_t effective, permitted, inheritable;
	} word[2];
};

/*
 * Opening and reading are done again where a signal has come in between: drivers and file systems in user space may say so,
 * and we have no handler that returns.
 */
static inline long sys_call_again(long number, long a, long b, long c, long d)
{
	long result;

	do {
		result = sys_call(number, a, b, c, d, 0, 0);
	} while (result == -SYS_EINTR);
	return result;
}

static inline int sys_open_at(int directory, const char *path, int flags)
{
	return (int)sys_call_again(NR_openat, directory, (long)path, flags | SYS_O_CLOEXEC, 0);
}

static inline int sys_open(const char *path, int flags)
{
	return sys_open_at(SYS_AT_FDCWD, path, flags);
}

/* A new file, to be written; it must not exist, not even as a link. */
static inline int sys_create_at(int directory, const char *path, unsigned mode)
{
	return (int)sys_call_again(NR_openat, directory, (long)path, SYS_O_WRONLY | SYS_O_CREAT | SYS_O_EXCL | SYS_O_CLOEXEC, mode);
}

static inline int sys_rename_at(int directory, const char *from, const char *to)
{
	return (int)sys_call(NR_renameat, directory, (long)from, directory, (long)to, 0, 0);
}

static inline int sys_unlink_at(int directory, const char *path)
{
	return (int)sys_call(NR_unlinkat, directory, (long)path, 0, 0, 0, 0);
}

/* What new files do not get; the mask before. */
static inline int sys_umask(unsigned mask)
{
	return (int)sys_call(NR_umask, mask, 0, 0, 0, 0, 0);
}

static inline int sys_close(int fd)
{
	return (int)sys_call(NR_close, fd, 0, 0, 0, 0, 0);
}

/* Closes what is open, and forgets it. */
static inline void sys_close_once(int *fd)
{
	if (*fd >= 0)
		sys_close(*fd);
	*fd = -1;
}

static inline long sys_read(int fd, void *data, size_t size)
{
	return sys_call_again(NR_read, fd, (long)data, (long)size, 0);
}

static inline long sys_pread(int fd, void *data, size_t size, int64_t offset)
{
	return sys_call_again(NR_pread64, fd, (long)data, (long)size, offset);
}

static inline long sys_write(int fd, const void *data, size_t size)
{
	return sys_call(NR_write, fd, (long)data, (long)size, 0, 0, 0);
}

static inline long sys_getdents(int fd, void *data, size_t size)
{
	return sys_call_again(NR_getdents64, fd, (long)data, (long)size, 0);
}

static inline long sys_readlink(const char *path, char *data, size_t size)
{
	return sys_call(NR_readlinkat, SYS_AT_FDCWD, (long)path, (long)data, (long)size, 0, 0);
}

static inline long sys_readlink_at(int directory, const char *path, char *data, size_t size)
{
	return sys_call(NR_readlinkat, directory, (long)path, (long)data, (long)size, 0, 0);
}

static inline int64_t sys_lseek(int fd, int64_t offset, int whence)
{
	return sys_call(NR_lseek, fd, offset, whence, 0, 0, 0);
}

/* The address, or -errno as a value above -4096UL: test with sys_failed(). */
static inline void *sys_mmap(void *at, size_t size, int protection, int flags, int fd,
			     int64_t offset)
{
	return (void *)sys_call(NR_mmap, (long)at, (long)size, protection, flags, fd, offset);
}

/* The -errno in a result of sys_mmap(), 0 where it is an address. */
static inline int sys_failed(const void *address)
{
	return (uintptr_t)address > -4096UL ? (int)(intptr_t)address : 0;
}

static inline int sys_munmap(void *at, size_t size)
{
	return (int)sys_call(NR_munmap, (long)at, (long)size, 0, 0, 0, 0);
}

static inline int sys_mprotect(void *at, size_t size, int protection)
{
	return (int)sys_call(NR_mprotect, (long)at, (long)size, protection, 0, 0, 0);
}

static inline int sys_madvise(void *at, size_t size, int advice)
{
	return (int)sys_call(NR_madvise, (long)at, (long)size, advice, 0, 0, 0);
}

static inline int sys_clock_gettime(int clock, struct sys_timespec *now)
{
	return (int)sys_call(NR_clock_gettime, clock, (long)now, 0, 0, 0, 0);
}

static inline int sys_sysinfo(struct sys_sysinfo *info)
{
	return (int)sys_call(NR_sysinfo, (long)info, 0, 0, 0, 0, 0);
}

static inline int sys_uname(struct sys_utsname *name)
{
	return (int)sys_call(NR_uname, (long)name, 0, 0, 0, 0, 0);
}

static inline int sys_prctl(int option, unsigned long argument)
{
	return (int)sys_call(NR_prctl, option, (long)argument, 0, 0, 0, 0);
}

static inline int sys_timerfd_create(int clock, int flags)
{
	return (int)sys_call(NR_timerfd_create, clock, flags, 0, 0, 0, 0);
}

static inline int sys_timerfd_settime(int fd, const struct sys_itimerspec *timer)
{
	return (int)sys_call(NR_timerfd_settime, fd, 0, (long)timer, 0, 0, 0);
}

/* A set of signals: bit n - 1 is signal n. */
static inline int sys_signalfd(uint64_t set, int flags)
{
	return (int)sys_call(NR_signalfd4, -1, (long)&set, sizeof set, flags, 0, 0);
}

static inline int sys_sigprocmask(int how, uint64_t set)
{
	return (int)sys_call(NR_rt_sigprocmask, how, (long)&set, 0, sizeof set, 0, 0);
}

/* Back to the default action. All of struct sigaction zero is SIG_DFL without flags, on both architectures. */
static inline int sys_signal_default(int signal)
{
	uint64_t action[4] = { 0 };

	return (int)sys_call(NR_rt_sigaction, signal, (long)action, 0, 8, 0, 0);
}

/* The handler must not return: nothing is there to return to. */
static inline int sys_signal_last(int signal, void (*handler)(int))
{
	enum { SA_RESTORER = 0x04000000 };	/* x86_64 delivers no signal without one */
	uint64_t action[4] = { (uint64_t)(uintptr_t)handler, SA_RESTORER, (uint64_t)(uintptr_t)handler, 0 };

	return (int)sys_call(NR_rt_sigaction, signal, (long)action, 0, 8, 0, 0);
}

static inline int sys_ppoll(struct sys_pollfd *fds, unsigned count,
			    const struct sys_timespec *timeout)
{
	return (int)sys_call(NR_ppoll, (long)fds, count, (long)timeout, 0, 0, 0);
}

/* As ppoll(2) does it: `mask` is in force while it waits. */
static inline int sys_ppoll_masked(struct sys_pollfd *fds, unsigned count, const struct sys_timespec *timeout,
				   uint64_t mask)
{
	return (int)sys_call(NR_ppoll, (long)fds, count, (long)timeout, (long)&mask, sizeof mask, 0);
}

static inline int sys_ioctl(int fd, unsigned long request, void *argument)
{
	return (int)sys_call(NR_ioctl, fd, (long)request, (long)argument, 0, 0, 0);
}

/* mode and size of what fd refers to, of struct stat; the layouts differ between the architectures. */
static inline int sys_fstat(int fd, uint32_t *mode, int64_t *size)
{
	union {
		uint64_t words[32];
		uint8_t bytes[256];
	} stat = { { 0 } };
	int error = (int)sys_call(NR_fstat, fd, (long)&stat, 0, 0, 0, 0);
#if defined(__x86_64__)
	enum { MODE_AT = 24, SIZE_AT = 48 };
#else
	enum { MODE_AT = 16, SIZE_AT = 48 };
#endif

	if (error)
		return error;
	*mode = (uint32_t)stat.bytes[MODE_AT] | (uint32_t)stat.bytes[MODE_AT + 1] << 8 |
		(uint32_t)stat.bytes[MODE_AT + 2] << 16 | (uint32_t)stat.bytes[MODE_AT + 3] << 24;
	*size = (int64_t)stat.words[SIZE_AT / 8];
	return 0;
}

static inline int sys_capget(struct sys_capability *set)
{
	uint32_t header[2] = { 0x20080522, 0 };	/* _LINUX_CAPABILITY_VERSION_3, this process */

	return (int)sys_call(NR_capget, (long)header, (long)set, 0, 0, 0, 0);
}

static inline int sys_capset(const struct sys_capability *set)
{
	uint32_t header[2] = { 0x20080522, 0 };

	return (int)sys_call(NR_capset, (long)header, (long)set, 0, 0, 0, 0);
}

/* All descriptors from `first` on: 5.9. */
static inline int sys_close_from(unsigned first)
{
	return (int)sys_call(NR_close_range, first, -1, 0, 0, 0, 0);
}

static inline int sys_seccomp(unsigned operation, unsigned flags, void *argument)
{
	return (int)sys_call(NR_seccomp, operation, flags, (long)argument, 0, 0, 0);
}

/* attributes NULL, size 0, flags 1: which version of the interface the kernel has. 5.13. */
static inline int sys_landlock_create(const void *attributes, size_t size, unsigned flags)
{
	return (int)sys_call(NR_landlock_create_ruleset, (long)attributes, (long)size, flags, 0, 0, 0);
}

static inline int sys_landlock_add(int ruleset, unsigned type, const void *rule)
{
	return (int)sys_call(NR_landlock_add_rule, ruleset, type, (long)rule, 0, 0, 0);
}

static inline int sys_landlock_restrict(int ruleset)
{
	return (int)sys_call(NR_landlock_restrict_self, ruleset, 0, 0, 0, 0, 0);
}

static inline int sys_bpf(int command, void *attributes, size_t size)
{
	return (int)sys_call(NR_bpf, command, (long)attributes, (long)size, 0, 0, 0);
}

/* process 0: this one; NULL: not set, not asked for */
static inline int sys_prlimit(int process, int resource, const struct sys_rlimit *set, struct sys_rlimit *old)
{
	return (int)sys_call(NR_prlimit64, process, resource, (long)set, (long)old, 0, 0);
}

/* A file system of that type as a mount that has no place in the tree: 5.2. */
static inline int sys_fsopen(const char *type)
{
	return (int)sys_call(NR_fsopen, (long)type, SYS_FSOPEN_CLOEXEC, 0, 0, 0, 0);
}

static inline int sys_fsconfig_create(int fd)
{
	return (int)sys_call(NR_fsconfig, fd, SYS_FSCONFIG_CMD_CREATE, 0, 0, 0, 0);
}

static inline int sys_fsmount(int fd)
{
	return (int)sys_call(NR_fsmount, fd, SYS_FSMOUNT_CLOEXEC, 0, 0, 0, 0);
}

static inline int sys_perf_event_open(const struct sys_perf_event *event, int process, int cpu)
{
	return (int)sys_call(NR_perf_event_open, (long)event, process, cpu, -1, SYS_PERF_FLAG_FD_CLOEXEC, 0);
}

/* A copy of this process: its pid here, 0 there. */
static inline int sys_fork(void)
{
	return (int)sys_call(NR_clone, SYS_SIGCHLD, 0, 0, 0, 0, 0);
}

/* Until that child has ended. */
static inline int sys_wait(int process)
{
	return (int)sys_call(NR_wait4, process, 0, 0, 0, 0, 0);
}

static inline int sys_pipe(int fds[2])
{
	return (int)sys_call(NR_pipe2, (long)fds, SYS_O_CLOEXEC, 0, 0, 0, 0);
}

static inline int sys_setpgid(int process, int group)
{
	return (int)sys_call(NR_setpgid, process, group, 0, 0, 0, 0);
}

static inline int sys_getpgid(int process)
{
	return (int)sys_call(NR_getpgid, process, 0, 0, 0, 0, 0);
}

static inline int sys_kill(int process, int signal)
{
	return (int)sys_call(NR_kill, process, signal, 0, 0, 0, 0);
}

static inline int sys_getpid(void)
{
	return (int)sys_call(NR_getpid, 0, 0, 0, 0, 0, 0);
}

_Noreturn static inline void sys_exit(int code)
{
	for (;;)
		sys_call(NR_exit_group, code, 0, 0, 0, 0, 0);
}

#endif
