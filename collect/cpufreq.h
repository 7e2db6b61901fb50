/* SPDX-License-Identifier: MIT */
/* The CPUs' clock, from /sys/devices/system/cpu/cpufreq: a policy for each group that shares one. */
#ifndef RSTAT_COLLECT_CPUFREQ_H
#define RSTAT_COLLECT_CPUFREQ_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/pace.h"
#include "collect/sample.h"

enum { CPUFREQ_POLICIES_MAX = 256 };	/* the first ones are read where there are more */

struct cpufreq_source {
	unsigned policies;
	int current[CPUFREQ_POLICIES_MAX];	/* descriptors */
	uint64_t max_hz;			/* the highest any policy allows; 0: not known */
	struct pace pace;			/* before about 5.19, 10 to 20 ms for each policy */
	bool known;				/* the last reading, while the next is not due */
	uint64_t fastest_hz, mean_hz;
};

void cpufreq_open(struct cpufreq_source *cpufreq, int root);

/* Sets the frequency fields, from the policies that can be read now: some may be offline. */
void cpufreq_read(struct cpufreq_source *cpufreq, struct sample *sample);

/* What a file says in kHz, in Hz; 0 where no CPU runs at that. */
uint64_t cpufreq_hz(int64_t kilohertz);

#endif
