/* SPDX-License-Identifier: MIT */
/*
 * aarch64. System call: number in x8, arguments in x0-x5, result in x0; no other register changes (Linux,
 * arch/arm64/kernel/entry.S). Process entry: sp points at argc, 16-byte aligned (AAPCS64).
 */
#ifndef RSTAT_ARCH_H
#define RSTAT_ARCH_H

#define ARCH_NAME "aarch64"
#define ARCH_ELF_MACHINE 183	/* EM_AARCH64 */
#define ARCH_RELOC_RELATIVE 1027	/* R_AARCH64_RELATIVE: *where = base + addend */
#define ARCH_AUDIT 0xc00000b7	/* AUDIT_ARCH_AARCH64 */
#define ARCH_O_DIRECTORY 040000
#define ARCH_WEAK_ORDER 1	/* stores may be seen in another order */

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
			 : "memory", "cc");
	return x0;
}

/* Frame pointer and link register are zeroed to mark the outermost frame. */
#define ARCH_START(function)                                                                       \
	__asm__(".pushsection .text.start,\"ax\",@progbits\n"                                      \
		".global _start\n"                                                                 \
		".hidden " #function "\n"                                                          \
		".type _start,@function\n"                                                         \
		"_start:\n"                                                                        \
		"	mov x29, #0\n"                                                             \
		"	mov x30, #0\n"                                                             \
		"	mov x0, sp\n"                                                              \
		"	and sp, x0, #-16\n"                                                        \
		"	bl " #function "\n"                                                        \
		"	brk #1\n"                                                                  \
		".size _start, . - _start\n"                                                       \
		".popsection\n")

/* include/uapi/asm-generic/unistd.h */
enum {
	NR_ioctl = 29,
	NR_openat = 56,
	NR_close = 57,
	NR_getdents64 = 61,
	NR_lseek = 62,
	NR_read = 63,
	NR_write = 64,
	NR_pread64 = 67,
	NR_ppoll = 73,
	NR_signalfd4 = 74,
	NR_readlinkat = 78,
	NR_fstat = 80,
	NR_timerfd_create = 85,
	NR_timerfd_settime = 86,
	NR_capget = 90,
	NR_exit_group = 94,
	NR_clock_gettime = 113,
	NR_rt_sigaction = 134,
	NR_rt_sigprocmask = 135,
	NR_uname = 160,
	NR_prctl = 167,
	NR_getpid = 172,
	NR_sysinfo = 179,
	NR_munmap = 215,
	NR_mmap = 222,
	NR_mprotect = 226,
	NR_madvise = 233,
	NR_perf_event_open = 241,
	NR_prlimit64 = 261,
	NR_bpf = 280,
	NR_renameat = 38,
	NR_unlinkat = 35,
	NR_umask = 166,
	NR_seccomp = 277,
	NR_capset = 91,
	NR_restart_syscall = 128,
	NR_clone = 220,
	NR_pipe2 = 59,
	NR_setpgid = 154,
	NR_getpgid = 155,
	NR_kill = 129,
	NR_wait4 = 260,
	NR_close_range = 436,
	NR_landlock_create_ruleset = 444,
	NR_landlock_add_rule = 445,
	NR_landlock_restrict_self = 446,
	NR_fsopen = 430,
	NR_fsconfig = 431,
	NR_fsmount = 432,
};

#endif
