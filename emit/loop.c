/* SPDX-License-Identifier: MIT */
/*
 * One ppoll over a timer, the signals and stdout. Signals that ask for something are read as data; those that end
 * us keep their default action, so that they work in every phase, also while a full pipe blocks the write.
 */
#include "emit/loop.h"

#include "emit/face.h"
#include "loader/sys.h"

enum {
	NEXT_INTERVAL_REALTIME = 34,	/* glibc's SIGRTMIN */
	KERNEL_THREADS = 35,
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	STDOUT = 1,
};

static uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

static uint64_t own_signals(void)
{
	return signal_bit(SYS_SIGUSR1) | signal_bit(SYS_SIGUSR2) | signal_bit(NEXT_INTERVAL_REALTIME) |
	       signal_bit(KERNEL_THREADS);
}

static void end_at_once(int signal)
{
	sys_exit(128 + signal);
}

/* As process 1 of a container: to it, the default action of a signal does nothing. */
static void take_ends(void)
{
	static const uint8_t ends[] = { SYS_SIGTERM, SYS_SIGINT, SYS_SIGHUP };

	for (unsigned i = 0; i < sizeof ends; i++)
		sys_signal_last(ends[i], end_at_once);
}

void loop_take_signals(void)
{
	/* SIGPIPE blocked: a write to a closed pipe returns -EPIPE */
	sys_sigprocmask(SYS_SIG_SETMASK, own_signals() | signal_bit(SYS_SIGPIPE));
	sys_signal_default(SYS_SIGTERM);
	if (sys_getpid() == 1)
		take_ends();
}

int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		long written = sys_write(fd, data, size);

		if (written == -SYS_EAGAIN) {
			/* somebody made it non-blocking: wait as a blocking write would */
			struct sys_pollfd room = { .fd = fd, .events = SYS_POLLOUT };

			sys_ppoll(&room, 1, NULL);
		} else if (written < 0 && written != -SYS_EINTR) {
			return (int)written;
		} else if (written > 0) {
			data += written;
			size -= (size_t)written;
		}
	}
	return 0;
}

struct loop {
	struct monitor *monitor;
	struct options *options;
	const struct face *face;
	int timer, signals;
	uint32_t lines;		/* written */
};

static int set_timer(struct loop *loop)
{
	uint64_t ms = loop->options->interval_ms;
	struct sys_timespec every = { (int64_t)(ms / MS_PER_S), (int64_t)(ms % MS_PER_S * NS_PER_MS) };
	struct sys_itimerspec timer = { .interval = every, .value = every };

	loop->monitor->sample.interval_ms = ms;
	return sys_timerfd_settime(loop->timer, &timer);
}

/* One sample, one line: 0 or -errno. */
static int show_sample(struct loop *loop)
{
	static char line[FACE_SIZE_MAX];
	struct text out = text_over(line, sizeof line);

	monitor_take(loop->monitor);
	loop->face->write(&out, &loop->monitor->sample, loop->options);
	loop->lines++;
	return out.cut ? 0 : write_all(STDOUT, out.data, out.used);
}

static void next_interval(struct loop *loop)
{
	static const uint32_t cycle[] = { 1000, 500, 250, 100, 2000 };
	enum { CYCLE = sizeof cycle / sizeof cycle[0] };
	unsigned next = 0;

	for (unsigned i = 0; i < CYCLE; i++)
		if (cycle[i] == loop->options->interval_ms)
			next = (i + 1) % CYCLE;
	loop->options->interval_ms = cycle[next];
	set_timer(loop);
}

/* Returns whether a line is wanted now: what changed should be seen. */
static bool take_signal(struct loop *loop)
{
	struct sys_signalfd_siginfo info;
	bool wanted = false;

	while (sys_read(loop->signals, &info, sizeof info) == (long)sizeof info) {
		switch (info.signal) {
		case SYS_SIGUSR2:
		case NEXT_INTERVAL_REALTIME: next_interval(loop); break;
		case KERNEL_THREADS:
			loop->monitor->tasks_options.no_kernel = !loop->monitor->tasks_options.no_kernel;
			break;
		}
		wanted = true;
	}
	return wanted;
}

static bool is_done(const struct loop *loop)
{
	return loop->options->lines && loop->lines >= loop->options->lines;
}

/* Until enough lines are written (0) or stdout is gone (-EPIPE) or fails (-errno). */
static int run(struct loop *loop)
{
	struct sys_pollfd fds[] = {
		{ .fd = loop->timer, .events = SYS_POLLIN },
		{ .fd = loop->signals, .events = SYS_POLLIN },
		{ .fd = STDOUT },	/* only that it is closed */
	};
	uint64_t expirations;

	for (;;) {
		int ready = sys_ppoll(fds, sizeof fds / sizeof fds[0], NULL), error = 0;
		bool due = false;

		if (ready < 0 && ready != -SYS_EINTR)
			return ready;
		if (ready <= 0)
			continue;
		if (fds[2].revents)
			return -SYS_EPIPE;
		if (fds[1].revents)
			due = take_signal(loop);
		if (fds[0].revents)
			due |= sys_read(loop->timer, &expirations, sizeof expirations) > 0;
		if (due)
			error = show_sample(loop);
		if (error || is_done(loop))
			return error;
	}
}

int loop_run(struct monitor *monitor, struct options *options, struct failure *f)
{
	struct loop loop = {
		.monitor = monitor,
		.options = options,
		.face = options->face,
		.timer = sys_timerfd_create(SYS_CLOCK_MONOTONIC, SYS_O_CLOEXEC | SYS_O_NONBLOCK),
		.signals = sys_signalfd(own_signals(), SYS_O_CLOEXEC | SYS_O_NONBLOCK),
	};
	int error = loop.timer < 0 ? loop.timer : loop.signals < 0 ? loop.signals : set_timer(&loop);

	if (error) {
		fail(f, error, "set up", "timer and signals", NULL);
		return 1;
	}
	if (options->once) {
		options->lines = 1;
		monitor_take(monitor);
	} else {
		error = show_sample(&loop);
	}
	if (!error && (options->once || !is_done(&loop)))
		error = run(&loop);
	if (!error || error == -SYS_EPIPE)
		return 0;
	fail(f, error, "write", "stdout", NULL);
	return 1;
}
