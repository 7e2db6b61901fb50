/* SPDX-License-Identifier: MIT */
/*
 * What make bench measures rstat under.
 *
 *	burden sleepers N HZ	N processes that each wake HZ times a second, until stdin closes
 *	burden pingpong		two processes that hand a byte back and forth on one CPU, until stdin closes
 *	burden reader N MS	reads the files that a sample reads, N times, MS apart; prints the median in us
 *
 * The first two print a line when they are under way.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static int sleepers(int count, int hz)
{
	struct timespec pause = { 0, 1000000000L / hz };

	setpgid(0, 0);
	for (int i = 0; i < count; i++) {
		if (child())
			continue;
		/* spread over the period, so that they do not all wake at once */
		usleep((unsigned)((long long)i * 1000000 / hz / count));
		for (;;)
			nanosleep(&pause, NULL);
	}
	wait_for_end();
	return 0;
}

static void bounce(int from, int to)
{
	char byte = 0;

	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		;
}

static int pingpong(void)
{
	int there[2], back[2];
	cpu_set_t one;

	setpgid(0, 0);
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (sched_setaffinity(0, sizeof one, &one) || pipe(there) || pipe(back))
		err(1, "pingpong");
	if (!child())
		bounce(there[0], back[1]);
	if (!child()) {
		if (write(there[1], "", 1) != 1)
			err(1, "write");
		bounce(back[0], there[1]);
	}
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

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "sleepers"))
		return sleepers(atoi(argv[2]), atoi(argv[3]));
	if (argc == 2 && !strcmp(argv[1], "pingpong"))
		return pingpong();
	if (argc == 4 && !strcmp(argv[1], "reader"))
		return reader(atoi(argv[2]), atoi(argv[3]));
	errx(2, "usage: burden sleepers N HZ | pingpong | reader N MS");
}
