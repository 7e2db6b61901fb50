/* SPDX-License-Identifier: MIT */
/*
 * What make bench measures rstat under.
 *
 *	burden sleepers N HZ	N processes that each wake HZ times a second, or never: 0; until stdin closes
 *	burden pingpong		two processes that hand a byte back and forth on one CPU, until stdin closes
 *	burden switches RATE	the same in bursts, a thousand a second, RATE switches a second in all, until stdin closes
 *	burden empty ID		an empty program at the context switch, ID being that of btf_trace_sched_switch; until stdin closes
 *	burden laps N		the same two for N times 50 laps; prints the time of a switch in ns, of the lower quarter
 *	burden reader N MS	reads the files that a sample reads, N times, MS apart; prints the median in us
 *	burden start PROGRAM...	runs it until its first line is there; prints the ms since its execve(2)
 *
 * Those that wait for stdin print a line when they are under way.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t child(void)
{
	pid_t pid = fork();

	if (pid < 0)
		err(1, "fork");
	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static void wait_for_end(void)
{
	char byte;

	puts("under way");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0)
		;
}

/* Nobody wakes before all are there: else those that are born later wait for those that run. */
static int sleepers(int count, int hz)
{
	struct timespec period = { 0, hz ? 1000000000L / hz : 0 };
	int gate[2];
	char byte;

	if (pipe(gate))
		err(1, "pipe");
	for (int i = 0; i < count; i++) {
		if (child())
			continue;
		while (!hz)
			pause();
		close(gate[1]);
		if (read(gate[0], &byte, 1))
			err(1, "gate");
		/* spread over the period, so that they do not all wake at once */
		usleep((unsigned)((long long)i * 1000000 / hz / count));
		for (;;)
			nanosleep(&period, NULL);
	}
	close(gate[1]);
	wait_for_end();
	return 0;
}

static void bounce(int from, int to)
{
	char byte = 0;

	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		;
	_exit(0);
}

/* A partner on this CPU that sends back what it gets. */
static void partner(int *from, int *to)
{
	int there[2], back[2];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof one, &one) || pipe(there) || pipe(back))
		err(1, "partner");
	*from = back[0];
	*to = there[1];
	if (!child())
		bounce(there[0], back[1]);
}

/* Each lap is two switches. */
static void laps(int from, int to, int count)
{
	char byte = 0;

	for (int i = 0; i < count; i++)
		if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1)
			err(1, "laps");
}

static int pingpong(void)
{
	int from, to;

	partner(&from, &to);
	if (!child())
		for (;;)
			laps(from, to, 1000);
	wait_for_end();
	return 0;
}

/* A wake from the clock is two switches, too, where the CPU has nothing else to do. */
static int switches(int rate)
{
	enum { BURSTS = 1000, BURST_NS = 1000000 };
	int from, to, count = (rate / BURSTS - 2) / 2;
	struct timespec next;

	partner(&from, &to);
	if (!child()) {
		prctl(PR_SET_TIMERSLACK, 1);
		clock_gettime(CLOCK_MONOTONIC, &next);
		for (;;) {
			next.tv_nsec += BURST_NS;
			if (next.tv_nsec >= 1000000000) {
				next.tv_nsec -= 1000000000;
				next.tv_sec++;
			}
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
			laps(from, to, count);
		}
	}
	wait_for_end();
	return 0;
}

static int empty_program(unsigned id)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K }, { .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_TRACING, .expected_attach_type = BPF_TRACE_RAW_TP, .attach_btf_id = id,
		.insns = (uintptr_t)code, .insn_cnt = 2, .license = (uintptr_t)"GPL", .prog_name = "empty",
	};
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);

	if (program < 0)
		err(1, "empty program");
	memset(&attr, 0, sizeof attr);
	attr.raw_tracepoint.prog_fd = (unsigned)program;
	if (syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof attr) < 0)
		err(1, "empty program");
	wait_for_end();
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int timed_laps(int count)
{
	enum { LAPS = 50 };	/* few enough that others seldom come in between */
	double *ns = calloc((size_t)count, sizeof *ns);
	int from, to;

	if (count < 1 || !ns)
		errx(1, "laps");
	partner(&from, &to);
	laps(from, to, 100 * LAPS);
	for (int i = 0; i < count; i++) {
		double began = now_us();

		laps(from, to, LAPS);
		ns[i] = (now_us() - began) * 1000 / (2 * LAPS);
	}
	qsort(ns, (size_t)count, sizeof *ns, by_value);
	printf("%.1f\n", ns[count / 4]);
	free(ns);
	return 0;
}

static int reader(int count, int ms)
{
	static const char *const paths[] = {
		"/proc/meminfo", "/proc/pressure/cpu", "/proc/pressure/memory", "/proc/pressure/io",
		"/sys/devices/system/cpu/online",
	};
	enum { FILES = sizeof paths / sizeof paths[0] };
	double *us = calloc((size_t)count, sizeof *us);
	static char data[16384];
	int fd[FILES];

	if (count < 1 || !us)
		errx(1, "reader");
	for (int i = 0; i < FILES; i++)
		fd[i] = open(paths[i], O_RDONLY);
	for (int i = 0; i < count; i++) {
		struct sysinfo info;
		double began;

		usleep((unsigned)ms * 1000);
		began = now_us();
		for (int k = 0; k < FILES; k++)
			if (fd[k] >= 0 && pread(fd[k], data, sizeof data, 0) < 0)
				fd[k] = -1;
		sysinfo(&info);
		us[i] = now_us() - began;
	}
	qsort(us, (size_t)count, sizeof *us, by_value);
	printf("%.1f\n", us[count / 2]);
	free(us);
	return 0;
}

/* How long a fork takes belongs to who makes it, so the clock is read behind it. */
static int start(char **command)
{
	double *began_us = mmap(NULL, sizeof *began_us, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), took_us;
	char byte = 0;
	int ends[2], status;
	pid_t pid;

	if (began_us == MAP_FAILED || pipe(ends))
		err(1, "start");
	pid = child();
	if (!pid) {
		if (dup2(ends[1], 1) < 0 || close(ends[0]) || close(ends[1]))
			err(1, "start");
		*began_us = now_us();
		execv(command[0], command);
		err(127, "%s", command[0]);
	}
	close(ends[1]);
	while (byte != '\n' && read(ends[0], &byte, 1) == 1)
		;
	took_us = now_us() - *began_us;
	if (byte != '\n')
		errx(1, "%s has ended without a line", command[0]);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	printf("%.3f\n", took_us / 1000);
	return 0;
}

int main(int argc, char **argv)
{
	/* the end of one is the end of all in its group */
	setpgid(0, 0);
	if (argc == 4 && !strcmp(argv[1], "sleepers"))
		return sleepers(atoi(argv[2]), atoi(argv[3]));
	if (argc == 2 && !strcmp(argv[1], "pingpong"))
		return pingpong();
	if (argc == 3 && !strcmp(argv[1], "switches"))
		return switches(atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "empty"))
		return empty_program((unsigned)atoi(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "laps"))
		return timed_laps(atoi(argv[2]));
	if (argc == 4 && !strcmp(argv[1], "reader"))
		return reader(atoi(argv[2]), atoi(argv[3]));
	if (argc >= 3 && !strcmp(argv[1], "start"))
		return start(argv + 2);
	errx(2, "usage: burden sleepers N HZ | pingpong | switches RATE | empty ID | laps N | reader N MS | start PROGRAM...");
}
