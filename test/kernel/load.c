/* SPDX-License-Identifier: MIT */
/*
 * What the live tests put on a machine: load [-c CPU] [-n NICE] [-r PRIORITY] MODE [ARGUMENT...]
 *
 * Each mode prints "ready" (and what else its test wants to know) when its load stands, obeys the lines that it
 * reads, and ends with its standard input. Nothing outlives the test: all processes die with their parent.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { STACK = 64 << 10 };

extern char **environ;

void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	_exit(1);
}

void say(const char *line)
{
	printf("%s\n", line);
	fflush(stdout);
}

void die_with_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == 1)	/* it was gone before that */
		_exit(0);
}

/* The next line of standard input without its end; the process ends where there is none. */
const char *next_line(void)
{
	static char line[128];

	if (!fgets(line, sizeof line, stdin))
		_exit(0);
	line[strcspn(line, "\n")] = '\0';
	return line;
}

void until_the_end(void)
{
	for (;;)
		next_line();
}

uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* Spins for an amount of this thread's own CPU time, however long that takes. */
void burn(uint64_t ns)
{
	uint64_t until = clock_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (clock_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		;
}

void pause_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * NS_PER_MS };

	nanosleep(&time, NULL);
}

void start_thread(void *(*run)(void *), void *argument)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	errno = pthread_create(&thread, &attributes, run, argument);
	if (errno)
		die("pthread_create");
}

void *wait_for_the_end(void *unused)
{
	(void)unused;
	until_the_end();
	return NULL;
}

/* ---- CPU */

void spin(void)
{
	for (volatile uint64_t turns = 0;; turns++)
		;
}

void *spin_thread(void *unused)
{
	(void)unused;
	spin();
	return NULL;
}

/* The end of standard input is not seen: the test kills it. */
static void mode_spin(char **arguments)
{
	(void)arguments;
	say("ready");
	spin();
}

void *sleep_thread(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return NULL;
}

static int started;

static void *counted_thread(void *busy)
{
	__atomic_fetch_add(&started, 1, __ATOMIC_RELEASE);
	return busy ? spin_thread(NULL) : sleep_thread(NULL);
}

static void *short_thread(void *done)
{
	burn(3 * NS_PER_MS);
	__atomic_store_n((int *)done, 1, __ATOMIC_RELEASE);
	return NULL;
}

/* threads COUNT BUSY: BUSY of them spin, and one more begins and ends threads of 3 ms, one after another. */
static void mode_threads(char **arguments)
{
	int count = atoi(arguments[0]), busy = atoi(arguments[1]);
	int done;

	for (int i = 0; i < count; i++)
		start_thread(counted_thread, i < busy ? &started : NULL);
	start_thread(wait_for_the_end, NULL);
	/* thousands that have yet to run would keep the test from reading both numbers at one time */
	while (__atomic_load_n(&started, __ATOMIC_ACQUIRE) < count)
		pause_ms(1);
	say("ready");
	for (;;) {
		done = 0;
		start_thread(short_thread, &done);
		while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
			pause_ms(1);
	}
}

static void spawn(char *program)
{
	char *const words[] = { program, NULL };
	pid_t pid;

	errno = posix_spawn(&pid, program, NULL, NULL, words, environ);
	if (errno || waitpid(pid, NULL, 0) != pid)
		die(program);
}

/* storm PROGRAM: one after another, without a pause. At a line it stops, and says how many have ended. */
static void mode_storm(char **arguments)
{
	struct pollfd input = { .events = POLLIN };

	say("ready");
	for (uint64_t ended = 0;; ended++) {
		if (poll(&input, 1, 0) > 0) {
			next_line();
			printf("%llu\n", (unsigned long long)ended);
			fflush(stdout);
			for (;;)
				pause();
		}
		spawn(arguments[0]);
	}
}

/* forks COUNT: at each line, so many children, each gone before the next; then "done". */
static void mode_forks(char **arguments)
{
	long count = atol(arguments[0]);

	say("ready");
	for (;;) {
		next_line();
		for (long i = 0; i < count; i++) {
			pid_t pid = fork();

			if (!pid)
				_exit(0);
			if (waitpid(pid, NULL, 0) != pid)
				die("fork");
		}
		say("done");
	}
}

static void *exec_thread(void *unused)
{
	(void)unused;
	burn(300 * NS_PER_MS);
	execl("/proc/self/exe", "load", "spin", (char *)NULL);
	die("execl");
	return NULL;
}

/* Leader and thread both have CPU time of their own when the thread executes `load spin`. */
static void mode_exec_thread(char **arguments)
{
	(void)arguments;
	burn(500 * NS_PER_MS);
	say("ready");
	next_line();
	start_thread(exec_thread, NULL);
	sleep_thread(NULL);
}

/* ---- what only sleeps */

/* sleep COUNT: so many more processes. */
static void mode_sleep(char **arguments)
{
	for (int i = 0; i < atoi(arguments[0]); i++) {
		if (fork())
			continue;
		die_with_parent();
		sleep_thread(NULL);
	}
	say("ready");
	until_the_end();
}

static void mode_vfork(char **arguments)
{
	char line[32];
	int length;

	(void)arguments;
	if (!vfork()) {
		die_with_parent();
		length = snprintf(line, sizeof line, "ready %d\n", (int)getpid());
		if (write(STDOUT_FILENO, line, (size_t)length) != length)
			_exit(1);
		for (;;)
			pause();
	}
	say("back");
	until_the_end();
}

/* A child that has ended; a line has it reaped. */
static void mode_zombie(char **arguments)
{
	siginfo_t info;
	pid_t pid = fork();

	(void)arguments;
	if (!pid)
		_exit(0);
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		die("waitid");
	printf("ready %d\n", (int)pid);
	fflush(stdout);
	next_line();
	if (waitpid(pid, NULL, 0) != pid)
		die("waitpid");
	say("done");
	until_the_end();
}

static void mode_leader_exit(char **arguments)
{
	(void)arguments;
	start_thread(wait_for_the_end, NULL);
	start_thread(sleep_thread, NULL);
	say("ready");
	pthread_exit(NULL);
}

/* ---- memory */

void *take_memory(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("mmap");
	memset(memory, 1, size);
	return memory;
}

static void mode_memory(char **arguments)
{
	take_memory(strtoull(arguments[0], NULL, 10));
	say("ready");
	until_the_end();
}

enum { BYSTANDERS = 4 };

static size_t grow_size;
static int wake[BYSTANDERS][2], worker[2], worker_done[2];

/* Waits for a byte; being woken is a record of the process's RSS at that moment. */
static void *bystander_thread(void *pipe_end)
{
	char byte;

	while (read(*(int *)pipe_end, &byte, 1) == 1)
		;
	return NULL;
}

static void *worker_thread(void *unused)
{
	void *memory = NULL;
	char byte;

	(void)unused;
	while (read(worker[0], &byte, 1) == 1) {
		if (byte == 'g')
			memory = take_memory(grow_size);
		else
			munmap(memory, grow_size);
		if (write(worker_done[1], &byte, 1) != 1)
			die("write");
	}
	return NULL;
}

static void tell(int fd, char byte)
{
	if (write(fd, &byte, 1) != 1)
		die("write");
}

static void start_bystander(int i)
{
	if (pipe(wake[i]))
		die("pipe");
	start_thread(bystander_thread, &wake[i][0]);
}

/*
 * grow BYTES: half as much from the beginning. At "grow" and "shrink" all bystanders, older and younger than the
 * worker, are woken first, then the worker takes or gives back the memory; the reply comes when it sleeps again.
 */
static void mode_grow(char **arguments)
{
	char byte;

	grow_size = strtoull(arguments[0], NULL, 10);
	take_memory(grow_size / 2);
	if (pipe(worker) || pipe(worker_done))
		die("pipe");
	start_bystander(0);
	start_bystander(1);
	start_thread(worker_thread, NULL);
	start_bystander(2);
	start_bystander(3);
	say("ready");
	for (;;) {
		const char *order = next_line();

		for (int i = 0; i < BYSTANDERS; i++)
			tell(wake[i][1], 'w');
		pause_ms(100);
		tell(worker[1], order[0]);
		if (read(worker_done[0], &byte, 1) != 1)
			die("read");
		say("done");
	}
}

/* ---- disk */

/*
 * write FILE BYTES_PER_SECOND: past the page cache, in pieces of 1 MiB, at most so many: what a slow piece delays is not
 * made up for, or a moment could have any number of them. "no direct" where the disk cannot.
 */
static void mode_write(char **arguments)
{
	uint64_t every_ns = (uint64_t)MIB * NS_PER_S / strtoull(arguments[1], NULL, 10);
	int fd = open(arguments[0], O_WRONLY | O_CREAT | O_DIRECT, 0600);
	void *piece;

	if (fd < 0 || posix_memalign(&piece, 4096, MIB) || pwrite(fd, memset(piece, 7, MIB), MIB, 0) != MIB) {
		say("no direct");
		return;
	}
	start_thread(wait_for_the_end, NULL);
	say("ready");
	for (uint64_t i = 0;; i++) {
		struct timespec time = { (time_t)(every_ns / NS_PER_S), (long)(every_ns % NS_PER_S) };

		if (pwrite(fd, piece, MIB, (off_t)(i % 64 * MIB)) != MIB)
			die(arguments[0]);
		nanosleep(&time, NULL);
	}
}

/* ---- names */

static void take_name(const char *hex)
{
	char name[17] = { 0 };
	unsigned byte;

	for (size_t i = 0; i < sizeof name - 1 && sscanf(hex + 2 * i, "%2x", &byte) == 1; i++)
		name[i] = (char)byte;
	prctl(PR_SET_NAME, name);
}

/* names HEX...: a process of each name, which uses some CPU; the reply has their pids in turn. */
static void mode_names(char **arguments)
{
	printf("ready");
	for (int i = 0; arguments[i]; i++) {
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid) {
			printf(" %d", (int)pid);
			continue;
		}
		die_with_parent();
		take_name(arguments[i]);
		for (;;) {
			burn(2 * NS_PER_MS);
			pause_ms(60);
		}
	}
	say("");
	until_the_end();
}

/* ---- what BPF is loaded */

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof *attr);
}

static int fd_of(int command, uint32_t id)
{
	union bpf_attr attr = { .prog_id = id };

	return (int)bpf(command, &attr);
}

static void print_program(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	uint32_t maps[64] = { 0 };
	union bpf_attr attr = { 0 };
	int fd = fd_of(BPF_PROG_GET_FD_BY_ID, id);

	info.nr_map_ids = sizeof maps / sizeof maps[0];
	info.map_ids = (uintptr_t)maps;
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof info;
	attr.info.info = (uintptr_t)&info;
	if (fd < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return;
	printf("prog %u %s", id, info.name);
	for (uint32_t i = 0; i < info.nr_map_ids; i++)
		printf(" %u", maps[i]);
	printf("\n");
	close(fd);
}

static void print_map(uint32_t id)
{
	struct bpf_map_info info = { 0 };
	union bpf_attr attr = { 0 };
	int fd = fd_of(BPF_MAP_GET_FD_BY_ID, id);

	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof info;
	attr.info.info = (uintptr_t)&info;
	if (fd < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		return;
	printf("map %u %s\n", id, info.name);
	close(fd);
}

/* "prog ID NAME MAP_ID...", "map ID NAME", "link ID" and "btf ID", a line each, then the end. */
static void mode_ids(char **arguments)
{
	union bpf_attr attr = { 0 };

	(void)arguments;
	for (attr.start_id = 0; !bpf(BPF_PROG_GET_NEXT_ID, &attr); attr.start_id = attr.next_id)
		print_program(attr.next_id);
	for (attr.start_id = 0; !bpf(BPF_MAP_GET_NEXT_ID, &attr); attr.start_id = attr.next_id)
		print_map(attr.next_id);
	for (attr.start_id = 0; !bpf(BPF_LINK_GET_NEXT_ID, &attr); attr.start_id = attr.next_id)
		printf("link %u\n", attr.next_id);
	for (attr.start_id = 0; !bpf(BPF_BTF_GET_NEXT_ID, &attr); attr.start_id = attr.next_id)
		printf("btf %u\n", attr.next_id);
}

/* ---- */

static const struct mode modes[] = {
	{ "spin", 0, mode_spin },
	{ "threads", 2, mode_threads },
	{ "storm", 1, mode_storm },
	{ "forks", 1, mode_forks },
	{ "exec-thread", 0, mode_exec_thread },
	{ "sleep", 1, mode_sleep },
	{ "vfork", 0, mode_vfork },
	{ "zombie", 0, mode_zombie },
	{ "leader-exit", 0, mode_leader_exit },
	{ "memory", 1, mode_memory },
	{ "grow", 1, mode_grow },
	{ "write", 2, mode_write },
	{ "sync", 1, mode_sync },
	{ "pageout", 1, mode_pageout },
	{ "hogs", 1, mode_hogs },
	{ "sleepers", 2, mode_sleepers },
	{ "leader-spin", 0, mode_leader_spin },
	{ "rename", 0, mode_rename },
	{ "unheard", 2, mode_unheard },
	{ "deadline", 0, mode_deadline },
	{ "bomb", 0, mode_bomb },
	{ "zombies", 1, mode_zombies },
	{ "pingpong", 0, mode_pingpong },
	{ "shrink", 1, mode_shrink },
	{ "names", 1, mode_names },
	{ "ids", 0, mode_ids },
};

static void take_cpu(int number)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(number, &one);
	if (sched_setaffinity(0, sizeof one, &one))
		die("sched_setaffinity");
}

static void take_priority(int priority)
{
	struct sched_param parameter = { .sched_priority = priority };

	if (sched_setscheduler(0, SCHED_FIFO, &parameter))
		die("sched_setscheduler");
}

int main(int argc, char **argv)
{
	int option;

	die_with_parent();
	while ((option = getopt(argc, argv, "+c:n:r:")) != -1) {
		switch (option) {
		case 'c': take_cpu(atoi(optarg)); break;
		case 'n': setpriority(PRIO_PROCESS, 0, atoi(optarg)); break;
		case 'r': take_priority(atoi(optarg)); break;
		default: return 2;
		}
	}
	for (size_t i = 0; optind < argc && i < sizeof modes / sizeof modes[0]; i++) {
		if (strcmp(modes[i].name, argv[optind]) || argc - optind - 1 < modes[i].arguments)
			continue;
		modes[i].run(argv + optind + 1);
		return 0;
	}
	fprintf(stderr, "load: no such mode, or too few arguments\n");
	return 2;
}
