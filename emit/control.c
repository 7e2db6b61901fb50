/* SPDX-License-Identifier: MIT */
#include "emit/control.h"

#include "collect/sample.h"

static const uint32_t steps_ms[] = { 100, 250, 500, 1000, 2000 };

enum { STEPS = sizeof steps_ms / sizeof steps_ms[0], ALONE_ROWS = 3 };

void control_next_interval(struct options *o)
{
	static const uint32_t cycle_ms[] = { 1000, 500, 250, 100, 2000 };
	unsigned next = 0;

	for (unsigned i = 0; i < STEPS; i++)
		if (cycle_ms[i] == o->interval_ms)
			next = (i + 1) % STEPS;
	o->interval_ms = cycle_ms[next];
}

void control_faster(struct options *o)
{
	for (unsigned i = STEPS; i; i--) {
		if (steps_ms[i - 1] < o->interval_ms) {
			o->interval_ms = steps_ms[i - 1];
			return;
		}
	}
}

void control_slower(struct options *o)
{
	for (unsigned i = 0; i < STEPS; i++) {
		if (steps_ms[i] > o->interval_ms) {
			o->interval_ms = steps_ms[i];
			return;
		}
	}
}

void control_kernel_threads(struct options *o)
{
	o->kernel_threads = !o->kernel_threads;
}

void control_next_list(struct options *o)
{
	o->list = (o->list + 1) % LISTS;
}

uint32_t control_rows(const struct options *o)
{
	uint32_t rows = o->list == LIST_ALL ? o->top_rows : o->top_rows * ALONE_ROWS;

	return rows < TOP_MAX ? rows : TOP_MAX;
}
