/* SPDX-License-Identifier: MIT */
/*
 * The kernel keeps run time and run count of each program while somebody holds its statistics switched on. An empty
 * program on the same tracepoint costs what the measuring itself costs; the difference is the probe's.
 */
#include "emit/loop.h"
#include "emit/reports.h"
#include "loader/bpf.h"
#include "loader/sys.h"

enum { WINDOWS_PER_SECOND = 4, NS_PER_WINDOW = 250000000, MIN_RUNS = 1000 };

struct window {
	uint64_t probe_ps, empty_ps, runs;	/* picoseconds per run */
};

/* 0 with both costs of one window, -EAGAIN where too few switches happened, -errno. */
static int measure(int probe, int empty, struct window *window)
{
	struct sys_timespec pause = { 0, NS_PER_WINDOW };
	struct bpf_program_facts before[2], after[2];
	uint64_t runs[2];
	int error = bpf_program_facts(probe, &before[0]);

	if (!error)
		error = bpf_program_facts(empty, &before[1]);
	sys_ppoll(NULL, 0, &pause);
	if (!error)
		error = bpf_program_facts(probe, &after[0]);
	if (!error)
		error = bpf_program_facts(empty, &after[1]);
	if (error)
		return error;
	for (unsigned i = 0; i < 2; i++) {
		runs[i] = after[i].runs - before[i].runs;
		if (runs[i] < MIN_RUNS)
			return -SYS_EAGAIN;
	}
	window->runs = runs[0];
	window->probe_ps = (after[0].run_time_ns - before[0].run_time_ns) * 1000 / runs[0];
	window->empty_ps = (after[1].run_time_ns - before[1].run_time_ns) * 1000 / runs[1];
	return 0;
}

static uint64_t net_ps(const struct window *w)
{
	return w->probe_ps > w->empty_ps ? w->probe_ps - w->empty_ps : 0;
}

static void put_window(struct text *out, const char *name, const struct window *w)
{
	text_string(out, name);
	text_fixed(out, net_ps(w), 3, 1);
	text_string(out, " ns per switch net (");
	text_fixed(out, w->probe_ps, 3, 1);
	text_string(out, " less ");
	text_fixed(out, w->empty_ps, 3, 1);
	text_string(out, " of an empty program), ");
	text_unsigned(out, w->runs * WINDOWS_PER_SECOND);
	text_string(out, " switches per second\n");
}

static int report(int probe, int empty, uint32_t seconds, struct failure *f)
{
	char data[512];
	struct text out = text_over(data, sizeof data);
	struct window best = { 0 }, worst = { 0 };
	uint32_t usable = 0;

	for (uint32_t i = 0; i < seconds * WINDOWS_PER_SECOND; i++) {
		struct window window;
		int error = measure(probe, empty, &window);

		if (error == -SYS_EAGAIN)
			continue;
		if (error)
			return fail(f, error, "read statistics of", "on_switch", NULL);
		if (!usable || net_ps(&window) < net_ps(&best))
			best = window;
		if (!usable || net_ps(&window) > net_ps(&worst))
			worst = window;
		usable++;
	}
	if (!usable)
		return fail(f, -SYS_EAGAIN, "measure", "on_switch",
			    "fewer than 4000 switches per second: run something that switches");
	put_window(&out, "best   ", &best);
	put_window(&out, "worst  ", &worst);
	return write_all(1, out.data, out.used);
}

int profile_run(struct monitor *monitor, const struct options *options, struct failure *f)
{
	int program = -1, probe = monitor->probe.program[monitor->probe.switch_index], empty, statistics, error = 0;

	if (monitor->rung->source == SOURCE_PROC) {
		fail(f, -SYS_EOPNOTSUPP, "profile", "the probe", "there is none with --attach proc");
		return 1;
	}
	empty = probe_attach_empty(&monitor->probe, &program);
	statistics = bpf_enable_stats();
	if (empty < 0)
		error = fail(f, empty, "attach", "an empty program", NULL);
	else if (statistics < 0)
		error = fail(f, statistics, "switch on", "run-time statistics",
			     statistics == -SYS_EPERM ? "needs CAP_SYS_ADMIN: run it as root" : NULL);
	else
		error = report(probe, program, options->profile_seconds, f);
	sys_close(statistics);
	sys_close(empty);
	sys_close(program);
	return error ? 1 : 0;
}
