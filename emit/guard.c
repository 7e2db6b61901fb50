/* SPDX-License-Identifier: MIT */
/*
 * One page is shared with the child: whether the screen is ours, and the settings to be restored. The child waits for the
 * end of a pipe whose other end only we hold, so whatever ends us wakes it; then it restores what is still ours. The
 * settings are put back only where they are still those we made: a shell that was quicker has its own.
 */
#include "emit/guard.h"

#include "emit/loop.h"
#include "loader/sandbox.h"
#include "loader/sys.h"

enum { STDIN = 0, STDOUT = 1, STDERR = 2, WRITE_TIMEOUT_S = 1 };

/* xterm's private modes: the alternate screen (1049), the cursor (25). ECMA-48: SGR, ED. */
static const char enter[] = "\x1b[?1049h\x1b[?25l\x1b[2J", leave[] = "\x1b[m\x1b[?25h\x1b[?1049l";

struct shared {
	struct sys_termios before, ours;
	bool taken;
};

static struct shared *shared;
static int self, child, pipe_end = -1;

static uint64_t signal_bit(int signal)
{
	return 1ull << (signal - 1);
}

uint64_t guard_signals(void)
{
	return signal_bit(SYS_SIGWINCH) | signal_bit(SYS_SIGCONT) | signal_bit(SYS_SIGTSTP);
}

static bool same(const struct sys_termios *a, const struct sys_termios *b)
{
	const uint8_t *x = (const uint8_t *)a, *y = (const uint8_t *)b;

	for (unsigned i = 0; i < sizeof *a; i++)
		if (x[i] != y[i])
			return false;
	return true;
}

static int terminal(unsigned long request, struct sys_termios *settings)
{
	int error;

	do {
		error = sys_ioctl(STDOUT, request, settings);
	} while (error == -SYS_EINTR);
	return error;
}

/* Where it cannot be seen whose they are, they are put back. */
static int put_settings_back(void)
{
	struct sys_termios now;

	if (!terminal(SYS_TCGETS, &now) && !same(&now, &shared->ours))
		return 0;
	return terminal(SYS_TCSETS, &shared->before);
}

/* Whether there is room now, or comes soon; where that cannot be asked it is tried. */
static bool has_room(void)
{
	struct sys_pollfd room = { .fd = STDOUT, .events = SYS_POLLOUT };
	struct sys_timespec limit = { WRITE_TIMEOUT_S, 0 };

	return sys_ppoll(&room, 1, &limit) != 0;
}

/* The settings first: they never wait, while a terminal that nobody reads takes no more bytes. */
static void restore(void)
{
	int error;

	if (!shared->taken)
		return;
	error = put_settings_back();
	/* not before it is done: who interrupts this, or watches, does it then */
	if (has_room() && !write_all(STDOUT, leave, sizeof leave - 1) && !error)
		shared->taken = false;
}

/* ---- the child */

/* Not in our group, so that what is sent to that, SIGKILL too, does not reach it; nor what names us by name. */
_Noreturn static void watch(int end)
{
	/* one free descriptor: with a limit of none, ppoll(2) fails */
	struct sandbox wants = { .terminal = true, .descriptors = 1, .slots_map = -1, .proc = -1, .sensors = { -1, -1 }, .output = -1 };
	struct sandbox_report report;
	char byte;

	sys_setpgid(0, 0);
	sys_prctl(SYS_PR_SET_NAME, (unsigned long)(uintptr_t)"terminal-guard");
	sys_close(STDIN);
	sys_close(STDERR);
	if (sandbox_enter(&wants, &report))
		sys_exit(1);
	sys_read(end, &byte, 1);
	restore();
	sys_exit(0);
}

/* ---- ourselves */

static void end_by_signal(int signal)
{
	guard_end();
	sys_exit(128 + signal);
}

static void take_signals(void)
{
	static const uint8_t ends[] = { SYS_SIGTERM, SYS_SIGINT, SYS_SIGHUP, SYS_SIGQUIT };

	sys_signal_default(SYS_SIGTSTP);
	for (unsigned i = 0; i < sizeof ends; i++)
		sys_signal_last(ends[i], end_by_signal);
	/* in the background: what the kernel would stop us for is looked at first (guard_take) */
	sys_sigprocmask(SYS_SIG_SETMASK, guard_signals() | signal_bit(SYS_SIGTTIN) | signal_bit(SYS_SIGTTOU));
}

int guard_start(void)
{
	void *page = sys_mmap(NULL, sizeof *shared, SYS_PROT_READ | SYS_PROT_WRITE, SYS_MAP_SHARED | SYS_MAP_ANONYMOUS,
			      -1, 0);
	int error = sys_failed(page), ends[2];

	if (error)
		return error;
	error = sys_pipe(ends);
	if (error)
		goto no_pipe;
	shared = page;
	self = sys_getpid();
	/* the child keeps them blocked: a hangup may come at once, and is what it is there for */
	sys_sigprocmask(SYS_SIG_SETMASK, ~0ull);
	child = sys_fork();
	if (!child) {
		sys_close(ends[1]);
		watch(ends[0]);
	}
	sys_close(ends[0]);
	pipe_end = ends[1];
	if (child < 0) {
		error = child;
		goto no_child;
	}
	take_signals();
	return 0;

no_child:
	sys_sigprocmask(SYS_SIG_SETMASK, 0);
	sys_close_once(&pipe_end);
	shared = NULL;
no_pipe:
	sys_munmap(page, sizeof *shared);
	return error;
}

bool guard_in_front(void)
{
	int group = 0, error = sys_ioctl(STDOUT, SYS_TIOCGPGRP, &group);

	/* a terminal that is not our controlling one: there is no foreground that we could be out of */
	return error == -SYS_ENOTTY || (!error && group == sys_getpgid(0));
}

/* Keys one by one, not echoed; ctrl-C and ctrl-Z remain signals, ctrl-S stops nothing. */
static struct sys_termios changed(struct sys_termios settings)
{
	settings.input &= ~(uint32_t)SYS_IXON;
	settings.local &= ~(uint32_t)(SYS_ICANON | SYS_ECHO);
	settings.character[SYS_VMIN] = 1;
	settings.character[SYS_VTIME] = 0;
	return settings;
}

bool guard_take(void)
{
	struct sys_termios now;

	if (!guard_in_front() || terminal(SYS_TCGETS, &now))
		return false;
	if (shared->taken && same(&now, &shared->ours))
		return true;
	/* not ours, or not any more: a shell has had it meanwhile */
	shared->before = now;
	shared->ours = changed(now);
	shared->taken = true;
	terminal(SYS_TCSETS, &shared->ours);
	if (!write_all(STDOUT, enter, sizeof enter - 1))
		return true;
	/* the next time again, as nothing is drawn but on a screen of our own */
	put_settings_back();
	shared->taken = false;
	return false;
}

/* Only what has ended and been waited for is gone: not every process 1 collects what is left to it. */
void guard_end(void)
{
	if (!shared)
		return;
	restore();
	if (child > 0) {
		sys_close_once(&pipe_end);
		sys_wait(child);
	}
}

/* By the signal itself, whose default action asks whether there is anybody to continue us. */
void guard_stop(void)
{
	struct sys_timespec at_once = { 0, 0 };

	restore();
	shared->taken = false;
	sys_kill(self, SYS_SIGTSTP);
	sys_ppoll_masked(NULL, 0, &at_once, ~signal_bit(SYS_SIGTSTP));
}
