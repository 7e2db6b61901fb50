/* SPDX-License-Identifier: MIT */
/* The CPUs' clock, from /sys/devices/system/cpu/cpufreq: a policy for each group that shares one. */
#ifndef RSTAT_COLLECT_CPUFREQ_H
#define RSTAT_COLLECT_CPUFREQ_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/sample.h"

enum { CPUFREQ_POLICIES_MAX = 256 };	/* the first ones are read where there are more */

struct cpufreq_source {
	unsigned policies;
	int current[CPUFREQ_POLICIES_MAX];	/* descriptors */
	uint64_t max_hz;			/* the highest any policy allows; 0: not known */
	uint32_t kilohertz[CPUFREQ_POLICIES_MAX];	/* of the last reading of each; 0: it said none */
	uint64_t read_ns[CPUFREQ_POLICIES_MAX];	/* when that was: after a minute it does not count any more */
	unsigned next;				/* where the next reading begins */
	bool known;				/* some policy has said what it runs at */
	uint64_t fastest_hz, mean_hz;
};

void cpufreq_open(struct cpufreq_source *cpufreq, int root);

/*
 * Reads the policies, from where it stopped last time, until all are read or slice_ns have passed by the clock: before
 * about 5.19 one takes 10 to 20 ms. Sets known, fastest_hz and mean_hz, over those that could be read: some may be offline.
 */
void cpufreq_read(struct cpufreq_source *cpufreq, uint64_t (*clock)(void), uint64_t slice_ns);

/* What a file says in kHz, in Hz; 0 where no CPU runs at that. */
uint64_t cpufreq_hz(int64_t kilohertz);

#endif
