/* SPDX-License-Identifier: MIT */
/*
 * Where the tasks come from: ways that give the same slots, the best first. Each is tried until one works; why the
 * others did not is kept, for those who ask and for the panel.
 */
#ifndef RSTAT_EMIT_LADDER_H
#define RSTAT_EMIT_LADDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/sample.h"
#include "collect/tasks.h"
#include "emit/options.h"
#include "loader/failure.h"
#include "loader/load.h"

enum { LADDER_RUNGS = 4 };

struct monitor;

struct rung {
	enum attach attach;
	enum source source;
	enum probe_path path;	/* of a probe */
	const char *step;	/* what --bench calls its part of a sample */
	bool slow;		/* takes so long by itself that it is not done again */
	/* 0 with the view (but for what is readable) and monitor->capacity, or -errno with nothing left behind */
	int (*open)(struct monitor *monitor, struct probe_request *request, struct failure *f);
	/* The slots are up to date; tasks_read() may follow. -errno: not all of them are, or can be seen. */
	int (*begin)(struct monitor *monitor);
	/* After tasks_conclude(). */
	void (*complete)(struct monitor *monitor);
	/* Renews what is known of tasks that sleep. */
	void (*refresh)(struct monitor *monitor);
	void (*close)(struct monitor *monitor);
};

struct refusal {
	const struct rung *rung;
	struct failure why;
};

/*
 * Opens the first rung that the options allow and that works: 0 with monitor->rung, or -errno with the failure of the
 * best one tried, since those after it want more. The refused are in monitor->refused.
 */
int ladder_climb(struct monitor *monitor, const struct options *options, struct probe_request *request,
		 struct failure *f);

/*
 * Why it is not the first choice, as few words as will do; empty where it is. reason: size bytes, NUL-terminated;
 * longer words are cut.
 */
void ladder_reason(const struct monitor *monitor, char *reason, size_t size);

#endif
