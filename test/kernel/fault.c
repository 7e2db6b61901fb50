// SPDX-License-Identifier: MIT
/*
 * fault [OPTION...] REPORT COMMAND...: runs a program by ptrace(2) and makes one of its system calls fail. The call is named
 * by its site: who makes it, what is called, what it is for ("pread64 /proc/meminfo", "bpf MAP_CREATE slots_map", "guard: read
 * pipe"), and by its number among the calls of that site.
 *
 *	-s SITE		this site (without it: none, all is only reported)
 *	-n FIRST[-LAST]	from the FIRST to the LAST call of it, from 1; without: all
 *	-e WHAT		ENAME; short: less is read or written; zero: nothing is
 *	-p		on a terminal of its own, whose output goes to stdout
 *	-k KEYS		typed on it when the program has written to it for the first time
 *	-g SIGNAL	sent to the program when it has written to stdout for the first time
 *	-K COUNT	the program is killed when it goes to write to stdout for the COUNT-th time
 *	-d FOLDER	is called F in sites
 *	-t SECONDS	after so long it hangs
 *
 * The report, a line each: "call SITE"; "made prog ID", "made map ID", "made link ID", "made btf ID" where the kernel gave it
 * such a thing; "done COUNT", how often it was made to fail; what it holds at its end: "fd WHAT", "memory KB"; "end guard exit 0",
 * "end main signal 15", "end main hang"; "terminal restored", "terminal changed".
 *
 * A call that fails is not made, but close(2), which closes in any case. It is replaced by one without an effect that the
 * program's own filter allows; the result is written over that one's.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { FDS = 1024, TEXT = 4200, PROCESSES = 2, CLOCK_OF_NONE = 99, SITES = 4096 };

/* ---- what is asked */

static const char *wanted_site, *keys, *folder;
static unsigned long first = 1, last = ~0ul;
static enum { FAIL, SHORT, ZERO } action;
static int error_number, kill_at, signal_sent;
static unsigned limit_s = 20;
static bool on_terminal;
static FILE *report;

/* ---- the program */

static struct process {
	pid_t pid;
	const char *role;
	bool inside;			/* of a call */
	uint64_t number, argument[6];
	char site[TEXT];
	bool hit;			/* its result is to be changed */
	bool sealing;			/* gives up its rights: looks at descriptors by number */
	bool unmapped;			/* the kernel's types: memory is taken for them next */
	unsigned memory, capsets, capgets, writes;
	char *fd[FDS];			/* what the number is, where the kernel does not say */
} processes[PROCESSES];
static unsigned made;			/* to fail */
static struct count {
	char *site;
	unsigned long count;
} counts[SITES];

static void die(const char *what)
{
	fprintf(stderr, "fault: %s: %s\n", what, strerror(errno));
	exit(3);
}

static void peek(pid_t pid, uint64_t at, void *data, size_t size)
{
	struct iovec here = { data, size }, there = { (void *)(uintptr_t)at, size };

	memset(data, 0, size);
	process_vm_readv(pid, &here, 1, &there, 1, 0);
}

/* A string of at most size - 1 bytes, piece by piece, as the next page may not be there. */
static void peek_string(pid_t pid, uint64_t at, char *data, size_t size)
{
	size_t used = 0;

	if (!at)
		used = (size_t)snprintf(data, size, "NULL");
	while (at && used < size - 1) {
		char piece[64];
		size_t length = 64 - (at + used) % 64;

		peek(pid, at + used, piece, length);
		for (size_t i = 0; i < length && used < size - 1; i++) {
			data[used] = piece[i];
			if (!piece[i])
				return;
			used++;
		}
	}
	data[used] = 0;
}

static void name_fd(struct process *p, int64_t fd, const char *name)
{
	if (fd < 0 || fd >= FDS)
		return;
	free(p->fd[fd]);
	p->fd[fd] = name ? strdup(name) : NULL;
}

/* "/proc/PID/stat" for all of them, and the folder that is called F. */
static void hide_names(char *path)
{
	char *at = strncmp(path, "/proc/", 6) ? NULL : path + 6, *end = at;
	size_t length = folder ? strlen(folder) : 0;

	if (length && !strncmp(path, folder, length)) {
		path[0] = 'F';
		memmove(path + 1, path + length, strlen(path + length) + 1);
	}
	while (end && isdigit((unsigned char)*end))
		end++;
	if (end == at)
		return;
	memmove(at + 3, end, strlen(end) + 1);
	memcpy(at, "PID", 3);
}

static void describe_fd(const struct process *p, int64_t fd, char *out)
{
	static const char *const standard[] = { "stdin", "stdout", "stderr" };
	char link[64];
	ssize_t length;

	if (fd >= 0 && fd < FDS && p->fd[fd]) {
		strcpy(out, p->fd[fd]);
		return;
	}
	if (fd >= 0 && fd <= 2) {
		strcpy(out, standard[fd]);
		return;
	}
	snprintf(link, sizeof link, "/proc/%d/fd/%d", p->pid, (int)fd);
	length = readlink(link, out, TEXT / 2);
	out[length < 0 ? 0 : length] = 0;
	if (length < 0)
		strcpy(out, "none");
	hide_names(out);
}

static void describe_path(const struct process *p, int directory, uint64_t path, char *out)
{
	char name[TEXT / 2];

	peek_string(p->pid, path, name, sizeof name);
	out[0] = 0;
	if (name[0] != '/' && directory != AT_FDCWD) {
		describe_fd(p, directory, out);
		if (strcmp(out, "/"))
			strcat(out, "/");
	}
	strcat(out, name);
	hide_names(out);
}

struct named {
	long number;
	const char *name;
};

static const char *name_of(const struct named *table, long number)
{
	for (; table->name; table++)
		if (table->number == number)
			return table->name;
	return "?";
}

static void describe_bpf(const struct process *p, char *out)
{
	static const struct named commands[] = {
		{ BPF_MAP_CREATE, "MAP_CREATE" }, { BPF_MAP_UPDATE_ELEM, "MAP_UPDATE_ELEM" }, { BPF_MAP_FREEZE, "MAP_FREEZE" },
		{ BPF_PROG_LOAD, "PROG_LOAD" }, { BPF_BTF_LOAD, "BTF_LOAD" }, { BPF_OBJ_GET_INFO_BY_FD, "OBJ_GET_INFO_BY_FD" },
		{ BPF_RAW_TRACEPOINT_OPEN, "RAW_TRACEPOINT_OPEN" }, { BPF_LINK_CREATE, "LINK_CREATE" },
		{ BPF_ITER_CREATE, "ITER_CREATE" }, { BPF_PROG_TEST_RUN, "PROG_TEST_RUN" }, { 0, NULL },
	};
	union bpf_attr attr = { 0 };
	long command = (long)p->argument[0];

	peek(p->pid, p->argument[1], &attr, p->argument[2] < sizeof attr ? p->argument[2] : sizeof attr);
	out += sprintf(out, "%s ", name_of(commands, command));
	switch (command) {
	case BPF_MAP_CREATE: strcat(out, attr.map_name); break;
	/* what is asked for again with a log, so that it can be shown, is another thing */
	case BPF_PROG_LOAD: strcat(strcat(out, attr.prog_name), attr.log_level ? " for its log" : ""); break;
	case BPF_MAP_UPDATE_ELEM:
	case BPF_MAP_FREEZE:
	case BPF_OBJ_GET_INFO_BY_FD:
	case BPF_ITER_CREATE:
	case BPF_LINK_CREATE:
	case BPF_PROG_TEST_RUN: describe_fd(p, attr.map_fd, out); break;
	case BPF_RAW_TRACEPOINT_OPEN: describe_fd(p, attr.raw_tracepoint.prog_fd, out); break;
	default: out[-1] = 0;
	}
}

static const struct named calls[] = {
#define CALL(name) { SYS_##name, #name }
	CALL(read), CALL(write), CALL(close), CALL(fstat), CALL(lseek), CALL(mmap), CALL(mprotect), CALL(munmap), CALL(rt_sigaction),
	CALL(rt_sigprocmask), CALL(ioctl), CALL(pread64), CALL(madvise), CALL(getpid), CALL(exit_group), CALL(sysinfo), CALL(uname),
	CALL(capget), CALL(prctl), CALL(clock_gettime), CALL(openat), CALL(readlinkat), CALL(ppoll), CALL(timerfd_create),
	CALL(timerfd_settime), CALL(signalfd4), CALL(perf_event_open), CALL(prlimit64), CALL(fsopen), CALL(fsconfig), CALL(fsmount),
	CALL(getdents64), CALL(renameat), CALL(unlinkat), CALL(fchmod), CALL(seccomp), CALL(bpf), CALL(capset), CALL(restart_syscall),
	CALL(clone), CALL(pipe2), CALL(setpgid), CALL(getpgid), CALL(kill), CALL(wait4), CALL(close_range),
	CALL(umask), CALL(landlock_create_ruleset), CALL(landlock_add_rule), CALL(landlock_restrict_self), { 0, NULL },
#undef CALL
};
static const struct named clocks[] = {
	{ CLOCK_REALTIME, "REALTIME" }, { CLOCK_MONOTONIC, "MONOTONIC" }, { CLOCK_BOOTTIME, "BOOTTIME" }, { 0, NULL },
}, prctls[] = {
	{ PR_SET_NAME, "SET_NAME" }, { PR_SET_PDEATHSIG, "SET_PDEATHSIG" }, { PR_SET_DUMPABLE, "SET_DUMPABLE" },
	{ PR_CAPBSET_DROP, "CAPBSET_DROP" }, { PR_SET_NO_NEW_PRIVS, "SET_NO_NEW_PRIVS" }, { PR_CAP_AMBIENT, "CAP_AMBIENT" },
	{ 0, NULL },
}, limits[] = {
	{ RLIMIT_CORE, "CORE" }, { RLIMIT_NPROC, "NPROC" }, { RLIMIT_NOFILE, "NOFILE" }, { RLIMIT_MEMLOCK, "MEMLOCK" }, { 0, NULL },
}, requests[] = {
	{ TCGETS, "TCGETS" }, { TCSETS, "TCSETS" }, { TIOCGPGRP, "TIOCGPGRP" }, { TIOCGWINSZ, "TIOCGWINSZ" },
	{ 0x2400, "PERF_EVENT_IOC_ENABLE" }, { 0x40042408, "PERF_EVENT_IOC_SET_BPF" }, { 0, NULL },
};

/* What it is for; who counts up does it once for each call. */
static void describe(struct process *p, char *out)
{
	const uint64_t *a = p->argument;

	out += sprintf(out, "%s%s", p->role, name_of(calls, (long)p->number));
	*out++ = ' ';
	*out = 0;
	switch (p->number) {
	case SYS_openat: case SYS_readlinkat: case SYS_unlinkat: case SYS_renameat: describe_path(p, (int)a[0], a[1], out); break;
	case SYS_fstat:
		if (p->sealing) {
			strcpy(out, "of each number");
			break;
		}
		/* fall through */
	case SYS_read: case SYS_write: case SYS_pread64: case SYS_close: case SYS_lseek: case SYS_getdents64: case SYS_fchmod:
	case SYS_timerfd_settime: case SYS_fsconfig: case SYS_fsmount: describe_fd(p, (int)a[0], out); break;
	case SYS_mmap:
		if ((int)a[4] < 0 && a[3] & MAP_SHARED)
			strcpy(out, "shared memory");
		else if ((int)a[4] < 0 && p->unmapped)	/* kernels before 6.16; the numbers of the others are the same */
			strcpy(out, "memory to read into"), p->unmapped = false;
		else if ((int)a[4] < 0)
			sprintf(out, "memory %u", ++p->memory);
		else
			describe_fd(p, (int)a[4], out);
		break;
	case SYS_bpf: describe_bpf(p, out); break;
	case SYS_clock_gettime: strcpy(out, (int)a[0] < 0 ? "of a process" : name_of(clocks, (int)a[0])); break;
	case SYS_prctl: strcpy(out, name_of(prctls, (int)a[0])); break;
	case SYS_prlimit64: strcpy(out, name_of(limits, (int)a[1])); strcat(out, a[2] ? "" : " asked"); break;
	case SYS_ioctl: strcpy(out, name_of(requests, (long)a[1])); break;
	case SYS_rt_sigaction: case SYS_kill: strcpy(out, sigabbrev_np((int)a[p->number == SYS_kill])); break;
	case SYS_ppoll: strcpy(out, a[1] == 4 ? "of the loop" : a[1] == 1 ? "for room" : "as a pause"); break;
	case SYS_landlock_create_ruleset: strcpy(out, a[0] ? "" : "version"); break;
	case SYS_capset: sprintf(out, "%u", ++p->capsets); break;
	case SYS_capget: sprintf(out, "%u", ++p->capgets); break;
	default: break;
	}
	for (size_t length = strlen(p->site); length && p->site[length - 1] == ' '; length--)
		p->site[length - 1] = 0;
}

/* What BPF has under the descriptor, by its number in the kernel. */
static void report_id(const struct process *p, int64_t fd, const char *kind)
{
	char path[64], line[256], name[32];

	snprintf(path, sizeof path, "/proc/%d/fdinfo/%d", p->pid, (int)fd);
	snprintf(name, sizeof name, "%s_id:", kind);
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof line, file)) {
		if (!strncmp(line, name, strlen(name)))
			fprintf(report, "made %s %lu\n", kind, strtoul(line + strlen(name), NULL, 10));
	}
	if (file)
		fclose(file);
}

static const char *bpf_kind(uint64_t command)
{
	switch (command) {
	case BPF_MAP_CREATE: return "map";
	case BPF_PROG_LOAD: return "prog";
	case BPF_BTF_LOAD: return "btf";
	case BPF_RAW_TRACEPOINT_OPEN:
	case BPF_LINK_CREATE: return "link";
	default: return NULL;
	}
}

/* What a new descriptor is, where /proc/PID/fd says no more than its kind. */
static void note_result(struct process *p, int64_t result)
{
	const char *what = strchr(p->site, ' ') ? strrchr(p->site, ' ') + 1 : p->site;
	char name[TEXT + 16];
	int ends[2];

	if (p->number == SYS_mmap && !strcmp(what, "/sys/kernel/btf/vmlinux"))
		p->unmapped = result < 0 && result > -4096;
	if (result < 0)
		return;
	if (p->number == SYS_bpf && bpf_kind(p->argument[0]))
		report_id(p, result, bpf_kind(p->argument[0]));
	switch (p->number) {
	case SYS_openat: name_fd(p, result, NULL); break;
	case SYS_close: name_fd(p, (int)p->argument[0], NULL); break;
	case SYS_timerfd_create: name_fd(p, result, "timer"); break;
	case SYS_signalfd4: name_fd(p, result, "signals"); break;
	case SYS_perf_event_open: name_fd(p, result, "perf-event"); break;
	case SYS_landlock_create_ruleset: name_fd(p, result, p->argument[0] ? "ruleset" : NULL); break;
	case SYS_fsopen: name_fd(p, result, "tracefs-context"); break;
	case SYS_fsmount: name_fd(p, result, "tracefs"); break;
	case SYS_pipe2:
		peek(p->pid, p->argument[0], ends, sizeof ends);
		name_fd(p, ends[0], "pipe");
		name_fd(p, ends[1], "pipe-end");
		break;
	case SYS_bpf:
		switch (p->argument[0]) {
		case BPF_MAP_CREATE: name_fd(p, result, what); break;
		case BPF_PROG_LOAD: snprintf(name, sizeof name, "program-%s", what); name_fd(p, result, name); break;
		case BPF_BTF_LOAD: name_fd(p, result, "btf"); break;
		case BPF_RAW_TRACEPOINT_OPEN:
		case BPF_LINK_CREATE: snprintf(name, sizeof name, "link-of-%s", what); name_fd(p, result, name); break;
		case BPF_ITER_CREATE: name_fd(p, result, "iterator"); break;
		}
	}
}

static unsigned long count_site(const char *site)
{
	unsigned i = 0;

	while (i < SITES && counts[i].site && strcmp(counts[i].site, site))
		i++;
	if (i == SITES) {
		errno = E2BIG;
		die("sites");
	}
	if (!counts[i].site)
		counts[i].site = strdup(site);
	return ++counts[i].count;
}

/* ---- its registers */

#if defined(__x86_64__)
static void change_call(pid_t pid, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, pid, 0, &r))
		die("registers");
	r.orig_rax = number, r.rdi = a, r.rsi = b, r.rdx = c;
	if (ptrace(PTRACE_SETREGS, pid, 0, &r))
		die("registers");
}

/* What the call was made with is put back: compilers keep arguments in their registers. */
static void change_result(const struct process *p, int64_t result)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, p->pid, 0, &r))
		die("registers");
	r.rax = result, r.rdi = p->argument[0], r.rsi = p->argument[1], r.rdx = p->argument[2];
	if (ptrace(PTRACE_SETREGS, p->pid, 0, &r))
		die("registers");
}
#else
static void registers(int request, pid_t pid, int set, void *data, size_t size)
{
	struct iovec all = { data, size };

	if (ptrace(request, pid, set, &all))
		die("registers");
}

static void change_call(pid_t pid, uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	struct user_regs_struct r;
	int call = (int)number;

	registers(PTRACE_GETREGSET, pid, NT_PRSTATUS, &r, sizeof r);
	r.regs[0] = a, r.regs[1] = b, r.regs[2] = c;
	registers(PTRACE_SETREGSET, pid, NT_PRSTATUS, &r, sizeof r);
	registers(PTRACE_SETREGSET, pid, NT_ARM_SYSTEM_CALL, &call, sizeof call);
}

static void change_result(const struct process *p, int64_t result)
{
	struct user_regs_struct r;

	registers(PTRACE_GETREGSET, p->pid, NT_PRSTATUS, &r, sizeof r);
	r.regs[0] = result, r.regs[1] = p->argument[1], r.regs[2] = p->argument[2];
	registers(PTRACE_SETREGSET, p->pid, NT_PRSTATUS, &r, sizeof r);
}
#endif

/* ---- its calls */

/* What it holds when it is about to end. */
static void report_holdings(const struct process *p)
{
	char name[TEXT];

	for (int fd = 3; fd < FDS; fd++) {
		describe_fd(p, fd, name);
		if (strcmp(name, "none"))
			fprintf(report, "fd %s%s\n", p->role, name);
	}
	snprintf(name, sizeof name, "/proc/%d/statm", p->pid);
	FILE *file = fopen(name, "r");
	unsigned long pages = 0;

	if (file && fscanf(file, "%lu", &pages) == 1)
		fprintf(report, "memory %s%lu\n", p->role, pages);
	if (file)
		fclose(file);
}

static void enter(struct process *p)
{
	uint64_t *a = p->argument, half = a[2] / 2 ? a[2] / 2 : 1;
	unsigned long number;

	describe(p, p->site);
	fprintf(report, "call %s\n", p->site);
	number = count_site(p->site);
	p->hit = wanted_site && !strcmp(p->site, wanted_site) && number >= first && number <= last;
	if (p->number == SYS_exit_group)
		report_holdings(p);
	if (p->number == SYS_prctl && a[0] == PR_SET_NO_NEW_PRIVS)
		p->sealing = true;
	if (p->number == SYS_seccomp)
		p->sealing = false;
	if (!p->hit)
		return;
	made++;
	if (action == SHORT) {	/* files that are read at a place are cut afterwards: much may be asked of a small one */
		if (p->number == SYS_write || p->number == SYS_read)
			change_call(p->pid, p->number, a[0], a[1], p->number == SYS_read ? 1 : half);
	} else if (p->number != SYS_close) {
		change_call(p->pid, SYS_clock_gettime, CLOCK_OF_NONE, 0, 0);
	}
}

static void leave(struct process *p, int64_t result)
{
	const struct process *main_one = &processes[0];

	if (p->hit) {
		if (p->number == SYS_close)
			name_fd(p, (int)p->argument[0], NULL);
		if (action == FAIL)
			result = -error_number;
		else if (action == ZERO)
			result = 0;
		else if (p->number == SYS_pread64 && result > 0)
			result /= 2;
		change_result(p, result);
	}
	note_result(p, result);
	if (p == main_one && p->number == SYS_write && p->argument[0] == 1 && ++p->writes == 1 && signal_sent)
		kill(p->pid, signal_sent);
}

/* ---- the terminal */

static int master = -1, slave = -1;
static struct termios before;
static pthread_t reader;
static volatile bool seen;

static void *copy_output(void *unused)
{
	char data[65536];
	ssize_t size;

	while ((size = read(master, data, sizeof data)) > 0 && write(1, data, (size_t)size) == size) {
		if (keys && !seen && write(master, keys, strlen(keys)) < 0)
			break;
		seen = true;
	}
	return unused;
}

static void open_terminal(void)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (master < 0 || grantpt(master) || unlockpt(master))
		die("terminal");
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) || tcgetattr(slave, &before))
		die("terminal");
}

static void close_terminal(void)
{
	struct termios now;
	bool same = !tcgetattr(slave, &now) && now.c_lflag == before.c_lflag && now.c_iflag == before.c_iflag &&
		    now.c_oflag == before.c_oflag && !memcmp(now.c_cc, before.c_cc, sizeof now.c_cc);

	fprintf(report, "terminal %s\n", same ? "restored" : "changed");
	close(slave);	/* the last one: the reader comes to the end when it has read all */
	pthread_join(reader, NULL);
}

/* ---- all of it */

static struct process *find(pid_t pid)
{
	for (unsigned i = 0; i < PROCESSES; i++) {
		if (processes[i].pid == pid)
			return &processes[i];
	}
	for (unsigned i = 0; i < PROCESSES; i++) {
		struct process *p = &processes[i];

		if (p->pid)
			continue;
		*p = (struct process){ .pid = pid, .role = i ? "guard: " : "" };
		for (int fd = 0; i && fd < FDS; fd++)
			p->fd[fd] = processes[0].fd[fd] ? strdup(processes[0].fd[fd]) : NULL;
		return p;
	}
	errno = ECHILD;
	die("too many processes");
	return NULL;
}

static void step(struct process *p)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, p->pid, sizeof info, &info) <= 0) {
		if (errno == ESRCH)	/* killed meanwhile */
			return;
		die("system call");
	}
	p->inside = info.op == PTRACE_SYSCALL_INFO_ENTRY;
	if (!p->inside) {
		leave(p, info.exit.rval);
		return;
	}
	p->number = info.entry.nr;
	for (unsigned i = 0; i < 6; i++)
		p->argument[i] = info.entry.args[i];
	enter(p);
	if (kill_at && p == &processes[0] && p->number == SYS_write && p->argument[0] == 1 && p->writes + 1 == (unsigned)kill_at)
		kill(p->pid, SIGKILL);
}

static void report_end(struct process *p, int status)
{
	fprintf(report, "end %s%s %d\n", p->role, WIFSIGNALED(status) ? "signal" : "exit",
		WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	fflush(report);
	p->pid = -1;	/* its place is taken */
}

static volatile sig_atomic_t hangs;

static void on_alarm(int signal)
{
	(void)signal;
	hangs = 1;
	for (unsigned i = 0; i < PROCESSES; i++)
		if (processes[i].pid > 0)
			kill(processes[i].pid, SIGKILL);
}

/* A child that waits for us, and for its terminal, before it becomes the program. */
static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	if (on_terminal) {
		setsid();
		if (ioctl(slave, TIOCSCTTY, 0) || dup2(slave, 0) < 0 || dup2(slave, 1) < 0)
			_exit(126);
	}
	raise(SIGSTOP);
	execv(command[0], command);
	_exit(127);
}

static void run(char **command)
{
	struct sigaction alarm_action = { .sa_handler = on_alarm };
	pid_t pid = start(command);
	int status, living = 1;
	bool begun = false;

	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		die("start");
	if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
		   PTRACE_O_EXITKILL))
		die("seize");
	sigaction(SIGALRM, &alarm_action, NULL);
	alarm(limit_s);
	kill(pid, SIGCONT);
	find(pid);
	while (living) {
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			die("wait");
		struct process *p = find(pid);
		int signal = 0, event = status >> 16;

		if (!WIFSTOPPED(status)) {
			if (hangs && WIFSIGNALED(status))
				fprintf(report, "end %shang 0\n", p->role), p->pid = -1;
			else
				report_end(p, status);
			living--;
			continue;
		}
		if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
			if (begun)
				step(p);
		} else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_CLONE) {
			unsigned long child;

			if (ptrace(PTRACE_GETEVENTMSG, pid, 0, &child))
				die("child");
			find((pid_t)child);	/* now, while it has what its parent has */
			living++;
		} else if (event == PTRACE_EVENT_EXEC) {
			begun = true;
		} else if (event != PTRACE_EVENT_STOP) {
			signal = WSTOPSIG(status);
		}
		ptrace(begun || event ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, signal);
	}
}

static int number_of(const char *name)
{
	for (int i = 1; i < 200; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return i;
	errno = EINVAL;
	die(name);
	return 0;
}

static void read_options(int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+s:n:e:pk:g:K:d:t:")) != -1) {
		char *end;

		switch (option) {
		case 's': wanted_site = optarg; break;
		case 'n':
			first = last = strtoul(optarg, &end, 10);
			if (*end == '-')
				last = end[1] ? strtoul(end + 1, NULL, 10) : ~0ul;
			break;
		case 'e':
			action = !strcmp(optarg, "short") ? SHORT : !strcmp(optarg, "zero") ? ZERO : FAIL;
			error_number = action == FAIL ? number_of(optarg) : 0;
			break;
		case 'p': on_terminal = true; break;
		case 'k': keys = optarg; break;
		case 'g': signal_sent = atoi(optarg); break;
		case 'K': kill_at = atoi(optarg); break;
		case 'd': folder = optarg; break;
		case 't': limit_s = (unsigned)atoi(optarg); break;
		default: exit(2);
		}
	}
	if (argc - optind < 2)
		exit(2);
}

int main(int argc, char **argv)
{
	read_options(argc, argv);
	report = fopen(argv[optind], "we");
	if (!report)
		die(argv[optind]);
	if (on_terminal) {
		open_terminal();
		if (pthread_create(&reader, NULL, copy_output, NULL))
			die("thread");
	}
	run(argv + optind + 1);
	fprintf(report, "done %u\n", made);
	if (on_terminal)
		close_terminal();
	return fclose(report) ? 3 : 0;
}
