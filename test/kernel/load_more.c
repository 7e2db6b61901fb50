/* SPDX-License-Identifier: MIT */
/* Modes of the load program in which many processes, or odd ones, share a machine. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"

/* hogs COUNT: processes that spin; the reply has their pids. */
void mode_hogs(char **arguments)
{
	printf("ready");
	for (int i = 0; i < atoi(arguments[0]); i++) {
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid) {
			printf(" %d", (int)pid);
			continue;
		}
		die_with_parent();
		spin();
	}
	say("");
	until_the_end();
}

static int sleeper_hz;

static void *sleeper_thread(void *unused)
{
	(void)unused;
	for (;;) {
		usleep((unsigned)(1000000 / sleeper_hz));
		burn(60000);
	}
	return NULL;
}

/* sleepers COUNT HZ: threads that wake so often and use about 60 us each time. */
void mode_sleepers(char **arguments)
{
	int count = atoi(arguments[0]);

	sleeper_hz = atoi(arguments[1]);
	for (int i = 0; i < count; i++)
		start_thread(sleeper_thread, NULL);
	say("ready");
	until_the_end();
}

static void bounce(int from, int to)
{
	char byte = 0;

	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		;
}

/* Two processes that hand a byte back and forth; one has used 300 ms more than the other. */
void mode_pingpong(char **arguments)
{
	int there[2], back[2];

	(void)arguments;
	if (pipe(there) || pipe(back))
		die("pipe");
	if (!fork()) {
		die_with_parent();
		bounce(there[0], back[1]);
	}
	burn(300 * NS_PER_MS);
	say("ready");
	if (write(there[1], "", 1) != 1)
		die("write");
	bounce(back[0], there[1]);
}

/* The first thread has left; another one uses the CPU. */
void mode_leader_spin(char **arguments)
{
	(void)arguments;
	start_thread(spin_thread, NULL);
	say("ready");
	pthread_exit(NULL);
}

/* Another name each 10 ms, all of them beginning with "re", while it spins. */
void mode_rename(char **arguments)
{
	char name[16];

	(void)arguments;
	say("ready");
	for (unsigned i = 0;; i++) {
		snprintf(name, sizeof name, "re%u", i);
		prctl(PR_SET_NAME, name);
		burn(10 * NS_PER_MS);
	}
}

static void kick(pid_t pid, int pipe, int cpu, char ms)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(pid, sizeof set, &set) || write(pipe, &ms, 1) != 1)
		die("kick");
}

/*
 * unheard CPU CPU: a child of the name whose ends a variant of the probe does not see uses 50 ms on one CPU and 100 ms on
 * the other, in turn, moved while it sleeps; the reply has its pid.
 */
void mode_unheard(char **arguments)
{
	int work[2];
	pid_t pid;
	char ms;

	if (pipe(work))
		die("pipe");
	pid = fork();
	if (!pid) {
		die_with_parent();
		prctl(PR_SET_NAME, "unheard");
		while (read(work[0], &ms, 1) == 1)
			burn((uint64_t)ms * NS_PER_MS);
		_exit(0);
	}
	printf("ready %d\n", (int)pid);
	fflush(stdout);
	for (;;) {
		kick(pid, work[1], atoi(arguments[0]), 50);
		usleep(170000);
		kick(pid, work[1], atoi(arguments[1]), 100);
		usleep(230000);
	}
}

/* SCHED_DEADLINE: 20 ms of each 50. "no deadline" where the kernel refuses. */
void mode_deadline(char **arguments)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attributes = {
		.size = 48, .policy = 6, .runtime = 20 * NS_PER_MS, .deadline = 50 * NS_PER_MS,
		.period = 50 * NS_PER_MS,
	};

	(void)arguments;
	if (syscall(SYS_sched_setattr, 0, &attributes, 0)) {
		say("no deadline");
		return;
	}
	say("ready");
	spin();
}

/* Forks as fast as its cgroup lets it, children as well; all die with a line or the parent. */
void mode_bomb(char **arguments)
{
	pid_t group = getpid();

	(void)arguments;
	setpgid(0, 0);
	say("ready");
	next_line();
	signal(SIGCHLD, SIG_IGN);
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			fork();
			if (getppid() == 1)
				_exit(0);
		}
	}
	say("going");
	next_line();
	signal(SIGTERM, SIG_IGN);
	kill(-group, SIGKILL);
}

/* zombies COUNT; a line has them reaped. */
void mode_zombies(char **arguments)
{
	for (int i = 0; i < atoi(arguments[0]); i++) {
		pid_t pid = fork();
		siginfo_t info;

		if (!pid)
			_exit(0);
		if (pid < 0 || waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
			die("zombies");
	}
	say("ready");
	next_line();
	while (wait(NULL) > 0)
		;
	say("done");
	until_the_end();
}

/* shrink BYTES: holds them; "shrink" gives nine tenths back with madvise, "grow" takes them again; then it sleeps. */
void mode_shrink(char **arguments)
{
	size_t size = strtoull(arguments[0], NULL, 10), part = size / 10 * 9 / 4096 * 4096;
	char *memory = take_memory(size);

	say("ready");
	for (;;) {
		const char *line = next_line();

		if (line[0] == 's' && madvise(memory, part, MADV_DONTNEED))
			die("madvise");
		if (line[0] == 'g')
			memset(memory, 1, part);
		say("done");
	}
}

/* pageout BYTES: a child that only sleeps holds them; at each line its pages are put into swap, by another process. */
void mode_pageout(char **arguments)
{
	struct iovec range = { .iov_len = strtoull(arguments[0], NULL, 10) };
	int there[2];
	long pidfd;
	pid_t pid;

	if (pipe(there))
		die("pipe");
	pid = fork();
	if (!pid) {
		die_with_parent();
		range.iov_base = take_memory(range.iov_len);
		if (write(there[1], &range.iov_base, sizeof range.iov_base) < 0)
			_exit(1);
		sleep_thread(NULL);
	}
	if (read(there[0], &range.iov_base, sizeof range.iov_base) != sizeof range.iov_base)
		die("read");
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	printf("ready %d\n", (int)pid);
	fflush(stdout);
	for (;;) {
		next_line();
		say(syscall(SYS_process_madvise, pidfd, &range, 1, MADV_PAGEOUT, 0) < 0 ? strerror(errno) : "done");
	}
}

/* sync FILE: writes of 64 KiB, each on the disk before the next, 100 a second. */
void mode_sync(char **arguments)
{
	static char piece[64 << 10];
	int fd = open(arguments[0], O_WRONLY | O_CREAT | O_SYNC, 0600);

	if (fd < 0)
		die(arguments[0]);
	start_thread(wait_for_the_end, NULL);
	say("ready");
	for (uint64_t i = 0;; i++) {
		if (pwrite(fd, memset(piece, (int)i, sizeof piece), sizeof piece,
			   (off_t)(i % 256 * sizeof piece)) != sizeof piece)
			die(arguments[0]);
		pause_ms(10);
	}
}
