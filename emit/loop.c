/* SPDX-License-Identifier: MIT */
/*
 * One ppoll over a timer, the signals, stdout and, for a face that listens, stdin. Signals that ask for something are read as data; those that end
 * us keep their default action, so that they work in every phase, also while a full pipe blocks the write.
 */
#include "emit/loop.h"

#include "emit/control.h"
#include "emit/face.h"
#include "emit/guard.h"
#include "emit/replace.h"
#include "emit/safe.h"
#include "emit/seal.h"
#include "emit/words.h"
#include "loader/sys.h"

enum {
	NEXT_INTERVAL_REALTIME = LOOP_SIGNAL_FIRST,
	KERNEL_THREADS,
	NEXT_LIST,
	FASTER,
	SLOWER,
	PAUSE = LOOP_SIGNAL_PAUSE,
	GO_ON = LOOP_SIGNAL_GO_ON,
	PAUSED_MS = 5000,	/* between samples then: numbers of slots that end are taken back by scans */
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	STDIN = 0,
	STDOUT = 1,
	STDERR = 2,
	INPUT_SIZE = 4096,	/* of one read */
};

static uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

static uint64_t own_signals(void)
{
	uint64_t signals = signal_bit(SYS_SIGUSR1) | signal_bit(SYS_SIGUSR2);

	for (int signal = LOOP_SIGNAL_FIRST; signal <= LOOP_SIGNAL_LAST; signal++)
		signals |= signal_bit(signal);
	return signals;
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
	int input;		/* stdin, or -1: the face does not listen, or no more will come */
	uint32_t lines;		/* written */
	bool paused;		/* sampling slowly, writing nothing */
	struct replace file;	/* instead of stdout, with --file */
};

static int set_timer(struct loop *loop)
{
	uint64_t interval_ms = loop->options->interval_ms;
	uint64_t ms = loop->paused && interval_ms < PAUSED_MS ? PAUSED_MS : interval_ms;
	struct sys_timespec every = { (int64_t)(ms / MS_PER_S), (int64_t)(ms % MS_PER_S * NS_PER_MS) };
	struct sys_itimerspec timer = { .interval = every, .value = every };

	loop->monitor->sample.interval_ms = interval_ms;
	return sys_timerfd_settime(loop->timer, &timer);
}

/* What the user should know once, on stderr. */
static void tell(struct monitor *monitor)
{
	const char *notice = sources_notice(&monitor->sources);
	char line[256];
	struct text out = text_over(line, sizeof line);

	if (!notice)
		return;
	text_string(&out, "rstat: ");
	safe_string(&out, notice, word_length(notice), SAFE_PLAIN);
	text_char(&out, '\n');
	if (!out.cut)
		write_all(STDERR, out.data, out.used);
}

static void take_sample(struct loop *loop)
{
	loop->monitor->tasks_options.no_kernel = !loop->options->kernel_threads;
	loop->monitor->tasks_options.top_rows = control_rows(loop->options);
	monitor_take(loop->monitor);
}

static void say_file(const struct loop *loop, const char *what, int error, const char *then)
{
	char line[256];
	struct text out = text_over(line, sizeof line);

	text_string(&out, "rstat: write ");
	safe_string(&out, loop->file.name, word_length(loop->file.name) < 128 ? word_length(loop->file.name) : 128, SAFE_PLAIN);
	text_string(&out, what);
	if (error)
		text_errno(&out, -error);
	text_string(&out, then);
	write_all(STDERR, out.data, out.used);
}

/* A file that cannot be written ends nothing: it is tried again with each sample. Said once, and once that it works again. */
static int put_file(struct loop *loop, const struct text *out)
{
	bool failed = loop->file.error;
	int error = replace_write(&loop->file, out->data, out->used);

	/* a new name in a folder that is there is never missing: the folder has been removed, and no other can be opened */
	if (error == -SYS_ENOENT)
		return error;
	if (error && !failed)
		say_file(loop, ": ", error, ": it is tried again with each sample\n");
	else if (!error && failed)
		say_file(loop, " works again\n", 0, "");
	return 0;
}

/* What was sampled last: 0 or -errno. In the background a live view is not shown. */
static int show_again(struct loop *loop)
{
	static char line[FACE_SIZE_MAX];
	struct text out = text_over(line, sizeof line);

	if (loop->options->live && !guard_take())
		return 0;
	loop->face->write(&out, &loop->monitor->sample, loop->options);
	if (out.cut)
		return 0;
	return loop->options->file_path ? put_file(loop, &out) : write_all(STDOUT, out.data, out.used);
}

/* One sample, one line: 0 or -errno. */
static int show_sample(struct loop *loop)
{
	int error;

	take_sample(loop);
	error = show_again(loop);
	loop->lines++;
	if (!loop->options->live)	/* it would stand in the picture */
		tell(loop->monitor);
	return error;
}

/* 0 or -errno. */
static int show(struct loop *loop, void (*put)(struct text *out, const struct options *o))
{
	char data[256];
	struct text out = text_over(data, sizeof data);

	if (!put)
		return 0;
	put(&out, loop->options);
	return out.cut ? -SYS_ENOSPC : write_all(STDOUT, out.data, out.used);
}

/* What that asks for: what changed should be seen. */
static enum face_asks take_signal(struct loop *loop)
{
	struct sys_signalfd_siginfo info;
	struct options *o = loop->options;
	uint32_t interval_ms = o->interval_ms;
	enum face_asks asks = FACE_NOTHING;
	bool paused = loop->paused;

	while (sys_read(loop->signals, &info, sizeof info) == (long)sizeof info) {
		if (signal_bit((int)info.signal) & guard_signals()) {
			if (info.signal == SYS_SIGTSTP)
				guard_stop();
			if (asks == FACE_NOTHING)
				asks = FACE_AGAIN;
			continue;
		}
		switch (info.signal) {
		case SYS_SIGUSR2:
		case NEXT_INTERVAL_REALTIME: control_next_interval(o); break;
		case KERNEL_THREADS: control_kernel_threads(o); break;
		case NEXT_LIST: control_next_list(o); break;
		case FASTER: control_faster(o); break;
		case SLOWER: control_slower(o); break;
		case PAUSE: loop->paused = true; break;
		case GO_ON: loop->paused = false; break;
		}
		asks = FACE_LINE;
	}
	if (o->interval_ms != interval_ms || loop->paused != paused)
		set_timer(loop);
	return asks;
}

static enum face_asks take_input(struct loop *loop)
{
	char data[INPUT_SIZE];
	uint32_t interval_ms = loop->options->interval_ms;
	long size = sys_read(loop->input, data, sizeof data);
	enum face_asks asks;

	if (size == -SYS_EAGAIN || (size == -SYS_EIO && loop->options->live))
		return FACE_NOTHING;
	if (size <= 0)
		loop->input = -1;
	asks = loop->face->input(loop->options, data, size > 0 ? (size_t)size : 0);
	if (loop->options->interval_ms != interval_ms)
		set_timer(loop);
	return asks;
}

/* Keys that come while a live view is in the background are not for it. */
static bool listens(const struct loop *loop)
{
	return !loop->options->live || guard_in_front();
}

static enum face_asks more(enum face_asks a, enum face_asks b)
{
	return a > b ? a : b;
}

static bool is_done(const struct loop *loop)
{
	return loop->options->lines && loop->lines >= loop->options->lines;
}

/*
 * Until enough lines are written or the face asks for the end (0), or stdout is gone (-EPIPE) or fails (-errno). What has
 * failed else is noted.
 */
static int run(struct loop *loop, struct failure *f)
{
	uint64_t expirations;

	for (;;) {
		struct sys_pollfd fds[] = {
			{ .fd = loop->timer, .events = SYS_POLLIN },
			{ .fd = loop->signals, .events = SYS_POLLIN },
			/* only that it is closed; with --file nobody reads it */
			{ .fd = loop->options->file_path ? -1 : STDOUT },
			{ .fd = listens(loop) ? loop->input : -1, .events = SYS_POLLIN },
		};
		enum face_asks asks = FACE_NOTHING;
		int ready = sys_ppoll(fds, sizeof fds / sizeof fds[0], NULL), error = 0;
		bool due = false;

		if (ready < 0 && ready != -SYS_EINTR)
			return fail(f, ready, "wait for", "the next sample", NULL);
		if (ready <= 0)
			continue;
		if (fds[2].revents)
			return -SYS_EPIPE;
		if (fds[1].revents)
			asks = take_signal(loop);
		if (fds[3].revents)
			asks = more(asks, take_input(loop));
		if (asks == FACE_QUIT)
			return 0;
		due = asks == FACE_LINE;
		if (fds[0].revents)
			due |= sys_read(loop->timer, &expirations, sizeof expirations) > 0;
		if (due && loop->paused)
			take_sample(loop);
		else if (due)
			error = show_sample(loop);
		else if (asks == FACE_AGAIN)
			error = show_again(loop);
		if (error || is_done(loop))
			return error;
	}
}

int loop_run(struct monitor *monitor, struct options *options, struct failure *f)
{
	static struct loop loop;	/* not on the stack: it has a path in it */
	struct sandbox_report sealed;
	int error;

	loop = (struct loop){
		.monitor = monitor,
		.options = options,
		.face = options->face,
		.input = options->face->input && (options->live || !options->face->input_live) ? STDIN : -1,
		.timer = sys_timerfd_create(SYS_CLOCK_MONOTONIC, SYS_O_CLOEXEC | SYS_O_NONBLOCK),
		.signals = sys_signalfd(own_signals() | (options->live ? guard_signals() : 0), SYS_O_CLOEXEC | SYS_O_NONBLOCK),
	};
	error = loop.timer < 0 ? loop.timer : loop.signals < 0 ? loop.signals : set_timer(&loop);

	if (error) {
		fail(f, error, "set up", "timer and signals", NULL);
		return 1;
	}
	loop.file.directory = -1;
	if (options->file_path && replace_open(&loop.file, options->file_path, f))
		return 1;
	if (seal(monitor, options, options->file_path ? &loop.file : NULL, &sealed, f))
		return 1;
	error = show(&loop, options->face->begin);
	if (options->once) {
		options->lines = 1;
		monitor_take(monitor);
	} else if (!error) {
		error = show_sample(&loop);
	}
	if (!error && (options->once || !is_done(&loop)))
		error = run(&loop, f);
	if (!error)
		error = show(&loop, options->face->end);
	if (!error || error == -SYS_EPIPE)
		return 0;
	if (options->file_path)
		fail(f, error, "write", options->file_path, "its folder has been removed: start it again");
	else
		fail(f, error, "write", "stdout", NULL);
	return 1;
}
