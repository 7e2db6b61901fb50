/* SPDX-License-Identifier: MIT */
/* The source of tasks, the collectors and the sample they fill: everything but how it is shown. */
#ifndef RSTAT_EMIT_MONITOR_H
#define RSTAT_EMIT_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/history.h"
#include "collect/proc.h"
#include "collect/sample.h"
#include "collect/sources.h"
#include "collect/tasks.h"
#include "emit/ladder.h"
#include "emit/options.h"
#include "loader/failure.h"
#include "loader/load.h"

/* The steps of one sample that --bench times: these, then the rows of sources_table. */
enum { STEP_TASKS, STEP_REFRESH, STEP_READ, STEP_LISTS, STEP_SOURCES, MONITOR_STEPS = STEP_SOURCES + SOURCES_COUNT };

struct monitor {
	const struct rung *rung;	/* where the tasks come from: of the next two one is in use */
	struct probe probe;
	struct proc proc;
	struct refusal refused[LADDER_RUNGS];	/* what was tried before it */
	unsigned refusals;
	struct tasks_view view;
	uint32_t capacity;		/* slots */
	struct tasks tasks;
	struct sources sources;
	struct tasks_options tasks_options;
	struct history history;
	struct sample sample;

	uint32_t cpus;			/* online at the sample before */
	bool incomplete;		/* not all tasks were read in the sample before */
	uint64_t sampled_ns;		/* CLOCK_MONOTONIC, of the sample before; 0: none yet */
	uint64_t refreshed_ns;		/* of the last pass over all tasks */
	bool timed;			/* fill step_ns */
	uint64_t step_ns[MONITOR_STEPS];
};

/*
 * Finds a source of tasks, opens the others. The monitor is static memory, zeroed. 0, or -errno with the failure saying
 * why. The request's object and log are the caller's.
 */
int monitor_open(struct monitor *monitor, const struct options *options, struct probe_request *request,
		 struct failure *f);

/* Takes one sample into monitor->sample. A part that fails costs its fields. */
void monitor_take(struct monitor *monitor);

const char *monitor_step_name(const struct monitor *monitor, unsigned step);

/* CLOCK_MONOTONIC, ns. */
uint64_t monitor_clock(void);

#endif
