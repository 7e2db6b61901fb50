/* SPDX-License-Identifier: MIT */
#include "emit/face.h"
#include "emit/loop.h"
#include "emit/reports.h"
#include "emit/seal.h"
#include "loader/sys.h"

enum { NS_PER_MS = 1000000, STEP_FORMAT = MONITOR_STEPS, STEP_TOTAL, STEPS };

static const char *step_name(const struct monitor *monitor, unsigned step)
{
	return step == STEP_TOTAL ? "total" : step == STEP_FORMAT ? "format" : monitor_step_name(monitor, step);
}

/* Shell sort: no recursion, no memory, fast enough for what a person waits for. */
static void sort(uint32_t *values, uint32_t count)
{
	for (uint32_t gap = count / 2; gap; gap /= 2) {
		for (uint32_t i = gap; i < count; i++) {
			uint32_t value = values[i], at = i;

			for (; at >= gap && values[at - gap] > value; at -= gap)
				values[at] = values[at - gap];
			values[at] = value;
		}
	}
}

static void put_cell(struct text *out, uint32_t ns)
{
	char digits[24];
	struct text cell = text_over(digits, sizeof digits);

	text_fixed(&cell, ns, 3, 1);
	for (size_t i = cell.used; i < 10; i++)
		text_char(out, ' ');
	text_bytes(out, cell.data, cell.used);
}

static void put_row(struct text *out, const char *name, uint32_t *ns, uint32_t count)
{
	static const uint32_t per_mille[] = { 500, 950, 990 };
	size_t begin = out->used;

	sort(ns, count);
	text_string(out, name);
	while (out->used - begin < 12)
		text_char(out, ' ');
	for (unsigned i = 0; i < 3; i++)
		put_cell(out, ns[(uint64_t)(count - 1) * per_mille[i] / 1000]);
	text_char(out, '\n');
}

static uint32_t narrow(uint64_t ns)
{
	return ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void write_line(struct monitor *monitor, const struct options *options)
{
	static char line[FACE_SIZE_MAX];
	struct text out = text_over(line, sizeof line);

	options->face->write(&out, &monitor->sample, options);
}

/* One sample as the loop takes it, but for the write; the line goes nowhere. Returns how long that took. */
static uint64_t take_whole(struct monitor *monitor, const struct options *options)
{
	uint64_t began_ns = monitor_clock();

	monitor->timed = false;
	monitor_take(monitor);
	write_line(monitor, options);
	return monitor_clock() - began_ns;
}

/*
 * Another one, for its steps: looking at the clock after each takes some us, which the whole is not to have. Of a reading
 * that was interrupted, the steps are those of the last try.
 */
static void take_in_steps(struct monitor *monitor, const struct options *options, uint32_t *ns, uint32_t samples,
			  uint32_t i)
{
	uint64_t taken_ns;

	monitor->timed = true;
	monitor_take(monitor);
	taken_ns = monitor_clock();
	write_line(monitor, options);
	ns[STEP_FORMAT * samples + i] = narrow(monitor_clock() - taken_ns);
	for (unsigned step = 0; step < MONITOR_STEPS; step++)
		ns[step * samples + i] = narrow(monitor->step_ns[step]);
}

/*
 * Whether whole or steps come first, so that neither falls together with what a sample does every second or fourth time: by
 * the number of ones in the number (the sequence of Thue and Morse, which has no period).
 */
static bool is_odd(uint32_t i)
{
	bool odd = false;

	for (; i; i &= i - 1)
		odd = !odd;
	return odd;
}

int bench_run(struct monitor *monitor, const struct options *options, struct failure *f)
{
	static char report[4096];
	struct text out = text_over(report, sizeof report);
	uint32_t samples = options->bench_samples;
	size_t size = (size_t)samples * STEPS * sizeof(uint32_t);
	struct sys_timespec pause = { 0, NS_PER_MS };
	uint32_t *ns = sys_mmap(NULL, size, SYS_PROT_READ | SYS_PROT_WRITE,
				SYS_MAP_PRIVATE | SYS_MAP_ANONYMOUS, -1, 0);
	struct sandbox_report sealed;
	int error = sys_failed(ns);

	if (error) {
		fail(f, error, "reserve memory for", "--bench", "try fewer samples");
		return 1;
	}
	/* as the loop does: its calls are measured with the filter on them, and nobody keeps capabilities for many samples */
	if (seal(monitor, options, NULL, &sealed, f))
		return 1;
	monitor_take(monitor);		/* the first touches memory that the others find warm */
	for (uint32_t i = 0; i < 2 * samples; i++) {
		sys_ppoll(NULL, 0, &pause);
		if (is_odd(i))	/* of two in a row one is */
			take_in_steps(monitor, options, ns, samples, i / 2);
		else
			ns[STEP_TOTAL * samples + i / 2] = narrow(take_whole(monitor, options));
	}
	text_string(&out, "us               p50       p95       p99\n");
	for (unsigned step = 0; step < STEPS; step++)
		put_row(&out, step_name(monitor, step), ns + (size_t)step * samples, samples);
	return write_all(1, out.data, out.used) ? 1 : 0;
}
