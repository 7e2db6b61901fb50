// SPDX-License-Identifier: MIT
/*
 * inject PID CALL [N=VALUE]...: makes a running process issue a system call, as code that took it over would, by
 * ptrace(2). N=VALUE: argument N is that number instead, or the text after "N=:". Prints "killed SIGNAL" where that ended
 * it, "refused ERRNO" or "done RESULT" else, and leaves the process as it was.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXT = -1000, STRUCTURE = -1001 };	/* as an argument: the address of the bytes below */

static struct call {
	const char *name;
	long number, argument[6];
	const char *text;
} calls[] = {
	{ "clock_gettime", SYS_clock_gettime, { 1, STRUCTURE }, NULL },	/* allowed: that the injection works at all */
	{ "open", SYS_openat, { AT_FDCWD, TEXT, O_RDONLY }, "/bin/sh" },
	{ "open-below", SYS_openat, { 3, TEXT, O_RDONLY | O_NONBLOCK | O_CLOEXEC }, "/bin/sh" },
	{ "open-sys", SYS_openat, { 3, TEXT, O_RDONLY | O_NONBLOCK | O_CLOEXEC }, "/sys/devices/system/cpu/online" },
	{ "open-sys-kernel", SYS_openat, { 3, TEXT, O_RDONLY | O_NONBLOCK | O_CLOEXEC }, "/sys/kernel/uevent_seqnum" },
	{ "open-path", SYS_openat, { 3, TEXT, O_PATH | O_CLOEXEC }, "/bin/sh" },
	{ "open-sys-write", SYS_openat, { 3, TEXT, O_RDWR }, "/sys/kernel/profiling" },
	{ "open-write", SYS_openat, { AT_FDCWD, TEXT, O_WRONLY | O_CREAT, 0600 }, "/tmp/rstat-injected" },
	{ "socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 }, NULL },
	{ "execve", SYS_execve, { TEXT, 0, 0 }, "/bin/true" },
	{ "clone", SYS_clone, { SIGCHLD, 0, 0, 0, 0 }, NULL },
	{ "ptrace", SYS_ptrace, { PTRACE_TRACEME, 0, 0, 0 }, NULL },
	{ "kill", SYS_kill, { 1, 0 }, NULL },
	{ "bpf-load", SYS_bpf, { BPF_PROG_LOAD, STRUCTURE, 128 }, NULL },
	{ "bpf-map", SYS_bpf, { BPF_MAP_CREATE, STRUCTURE, 128 }, NULL },
	{ "bpf-lookup", SYS_bpf, { BPF_MAP_LOOKUP_ELEM, STRUCTURE, 128 }, NULL },
	{ "bpf-long-run", SYS_bpf, { BPF_PROG_TEST_RUN, STRUCTURE, 128 }, NULL },
	{ "write-5", SYS_write, { 5, TEXT, 1 }, "x" },
	{ "write-far", SYS_write, { 0x100000001, TEXT, 1 }, "x" },
	{ "mmap-code", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 }, NULL },
	{ "madvise", SYS_madvise, { STRUCTURE & ~4095L, 4096, MADV_WILLNEED }, NULL },
	{ "mprotect", SYS_mprotect, { STRUCTURE & ~4095L, 4096, PROT_READ | PROT_EXEC }, NULL },
	{ "prctl", SYS_prctl, { 4, 1 }, NULL },
	{ "perf", SYS_perf_event_open, { STRUCTURE, -1, 0, -1, 0 }, NULL },
	{ "ioctl", SYS_ioctl, { 0, 0x5412, TEXT }, "x" },	/* TIOCSTI: types for the user */
	{ "close", SYS_close, { 1 << 20 }, NULL },	/* allowed */
	{ "fchmod", SYS_fchmod, { 1, 0666 }, NULL },
	{ "unlink", SYS_unlinkat, { 3, TEXT, 0 }, "x" },
	{ "rename", SYS_renameat, { 3, TEXT, 3, TEXT }, "x" },
	{ "none", 100000, { 0 }, NULL },
};

#if defined(__x86_64__)
enum { STEP_BACK = 2 };		/* syscall */
#define NUMBER rax
#define PLACE rip
#define STACK rsp
static void set_arguments(struct user_regs_struct *r, const long *a)
{
	r->rdi = a[0], r->rsi = a[1], r->rdx = a[2], r->r10 = a[3], r->r8 = a[4], r->r9 = a[5];
	r->orig_rax = -1;	/* nothing to restart */
}
#else
enum { STEP_BACK = 4 };		/* svc #0 */
#define NUMBER regs[8]
#define PLACE pc
#define STACK sp
static void set_arguments(struct user_regs_struct *r, const long *a)
{
	for (int i = 0; i < 6; i++)
		r->regs[i] = a[i];
}
#endif

static void die(const char *what)
{
	printf("failed %s: %s\n", what, strerror(errno));
	exit(1);
}

static void registers(int request, pid_t pid, struct user_regs_struct *r)
{
	struct iovec all = { r, sizeof *r };

	if (ptrace(request, pid, NT_PRSTATUS, &all))
		die("registers");
}

/* Until it has come out; one that waits for what does not come is interrupted. */
static void wait_out(pid_t pid, int *status)
{
	for (int i = 0; i < 200; i++) {
		pid_t ended = waitpid(pid, status, WNOHANG);

		if (ended < 0)
			die("step");
		if (ended)
			return;
		usleep(5000);
	}
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) || waitpid(pid, status, 0) != pid)
		die("interrupt");
}

/* Its registers when it has come out of a system call: the instruction before is one. */
static void stop_in_call(pid_t pid, struct user_regs_struct *r)
{
	int status;

	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) || ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		die("seize");
	for (;;) {
		if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
			die("stop");
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			/* once more: it goes in and comes out */
			if (ptrace(PTRACE_SYSCALL, pid, 0, 0))
				die("step");
			wait_out(pid, &status);
			break;
		}
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0))
			die("go on");
	}
	registers(PTRACE_GETREGSET, pid, r);
}

static long inject(pid_t pid, const struct call *call, int *status)
{
	struct user_regs_struct before, now;
	long argument[6];
	uint64_t at;

	stop_in_call(pid, &before);
	now = before;
	at = (now.STACK - 4096) & ~4095UL;
	for (unsigned i = 0; i < 64; i++)	/* text, or a structure of zeros */
		if (ptrace(PTRACE_POKEDATA, pid, at + 8 * i, 0))
			die("poke");
	for (size_t i = 0, left; call->text && i <= (left = strlen(call->text)); i += 8) {
		long word = 0;

		left -= i;
		memcpy(&word, call->text + i, left < 8 ? left : 8);
		if (ptrace(PTRACE_POKEDATA, pid, at + i, word))
			die("poke");
	}
	for (int i = 0; i < 6; i++) {
		argument[i] = call->argument[i];
		if (argument[i] == TEXT || argument[i] == STRUCTURE || argument[i] == (STRUCTURE & ~4095L))
			argument[i] = at;
	}
	set_arguments(&now, argument);
	now.NUMBER = call->number;
	now.PLACE -= STEP_BACK;
	registers(PTRACE_SETREGSET, pid, &now);
	for (int stops = 0, signal = 0; stops < 2;) {	/* in, and out again; a signal that comes of it is delivered */
		if (ptrace(PTRACE_SYSCALL, pid, 0, signal) || waitpid(pid, status, 0) != pid)
			die("run");
		if (!WIFSTOPPED(*status))
			return 0;
		signal = WSTOPSIG(*status) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(*status);
		stops += !signal;
	}
	registers(PTRACE_GETREGSET, pid, &now);
	/* one more instruction: a signal that came of the call comes first */
	if (ptrace(PTRACE_SINGLESTEP, pid, 0, 0) || waitpid(pid, status, 0) != pid)
		die("step");
	if (!WIFSTOPPED(*status))
		return 0;
	if (WSTOPSIG(*status) != SIGTRAP) {
		if (ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(*status)) || waitpid(pid, status, 0) != pid)
			die("deliver");
		return 0;
	}
	registers(PTRACE_SETREGSET, pid, &before);
	if (ptrace(PTRACE_DETACH, pid, 0, 0))
		die("detach");
#if defined(__x86_64__)
	return now.rax;
#else
	return now.regs[0];
#endif
}

int main(int argc, char **argv)
{
	struct call *call = NULL;
	int status = 0;
	long result;

	if (argc == 2 && !strcmp(argv[1], "list")) {
		for (unsigned i = 0; i < sizeof calls / sizeof calls[0]; i++)
			puts(calls[i].name);
		return 0;
	}
	for (unsigned i = 0; argc >= 3 && i < sizeof calls / sizeof calls[0]; i++)
		if (!strcmp(calls[i].name, argv[2]))
			call = &calls[i];
	if (!call)
		return 2;
	for (int i = 3; i < argc; i++) {
		int at = argv[i][0] - '0';

		if (at < 0 || at > 5 || argv[i][1] != '=')
			return 2;
		call->argument[at] = argv[i][2] == ':' ? TEXT : strtol(argv[i] + 2, NULL, 0);
		if (argv[i][2] == ':')
			call->text = argv[i] + 3;
	}
	result = inject(atoi(argv[1]), call, &status);
	if (WIFSIGNALED(status))
		printf("killed %s\n", sigabbrev_np(WTERMSIG(status)));
	else if (WIFEXITED(status))
		printf("exited %d\n", WEXITSTATUS(status));
	else if (result < 0)
		printf("refused %s\n", strerrorname_np(-result));
	else
		printf("done %ld\n", result);
	return 0;
}
