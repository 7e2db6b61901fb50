/* SPDX-License-Identifier: MIT */
/*
 * x86_64. System call: number in rax, arguments in rdi rsi rdx r10 r8 r9, result in rax; the kernel overwrites
 * rcx and r11 (System V psABI for AMD64, A.2.1). Process entry: rsp points at argc, 16-byte aligned (3.4.1).
 */
#ifndef RSTAT_ARCH_H
#define RSTAT_ARCH_H

#define ARCH_NAME "x86_64"
#define ARCH_ELF_MACHINE 62	/* EM_X86_64 */
#define ARCH_RELOC_RELATIVE 8	/* R_X86_64_RELATIVE: *where = base + addend */
#define ARCH_AUDIT 0xc000003e	/* AUDIT_ARCH_X86_64 */
#define ARCH_O_DIRECTORY 0200000
#define ARCH_WEAK_ORDER 0	/* stores are seen in order */

static inline long sys_call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

/* The frame pointer is zeroed to mark the outermost frame; the call leaves rsp 16-byte aligned + 8. */
#define ARCH_START(function)                                                                       \
	__asm__(".pushsection .text.start,\"ax\",@progbits\n"                                      \
		".global _start\n"                                                                 \
		".hidden " #function "\n"                                                          \
		".type _start,@function\n"                                                         \
		"_start:\n"                                                                        \
		"	xor %ebp, %ebp\n"                                                          \
		"	mov %rsp, %rdi\n"                                                          \
		"	and $-16, %rsp\n"                                                          \
		"	call " #function "\n"                                                      \
		"	ud2\n"                                                                     \
		".size _start, . - _start\n"                                                       \
		".popsection\n")

/* arch/x86/entry/syscalls/syscall_64.tbl */
enum {
	NR_read = 0,
	NR_write = 1,
	NR_close = 3,
	NR_fstat = 5,
	NR_lseek = 8,
	NR_mmap = 9,
	NR_mprotect = 10,
	NR_munmap = 11,
	NR_rt_sigaction = 13,
	NR_rt_sigprocmask = 14,
	NR_ioctl = 16,
	NR_pread64 = 17,
	NR_madvise = 28,
	NR_getpid = 39,
	NR_exit_group = 231,
	NR_sysinfo = 99,
	NR_uname = 63,
	NR_capget = 125,
	NR_prctl = 157,
	NR_clock_gettime = 228,
	NR_openat = 257,
	NR_readlinkat = 267,
	NR_ppoll = 271,
	NR_timerfd_create = 283,
	NR_timerfd_settime = 286,
	NR_signalfd4 = 289,
	NR_perf_event_open = 298,
	NR_prlimit64 = 302,
	NR_fsopen = 430,
	NR_fsconfig = 431,
	NR_fsmount = 432,
	NR_getdents64 = 217,
	NR_renameat = 264,
	NR_unlinkat = 263,
	NR_umask = 95,
	NR_seccomp = 317,
	NR_bpf = 321,
	NR_capset = 126,
	NR_restart_syscall = 219,
	NR_clone = 56,
	NR_pipe2 = 293,
	NR_setpgid = 109,
	NR_getpgid = 121,
	NR_kill = 62,
	NR_wait4 = 61,
	NR_close_range = 436,
	NR_landlock_create_ruleset = 444,
	NR_landlock_add_rule = 445,
	NR_landlock_restrict_self = 446,
};

#endif
