/* SPDX-License-Identifier: MIT */
/*
 * A sensor that is slow to read is read less often. The rule: a reading that took c is repeated no
 * sooner than PACE_SHARE times c later, which keeps it below a share of one CPU's time whatever the
 * interval is (of samples one second apart, what takes 2 to 4 ms is read in every second or third).
 * PACE_MAX_NS bounds the wait, and what takes less than PACE_FREE_NS is read every time. In
 * between, the last value stands.
 */
#ifndef RSTAT_COLLECT_PACE_H
#define RSTAT_COLLECT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_SHARE   500
#define PACE_FREE_NS 200000ULL
#define PACE_MAX_NS  60000000000ULL

/* All zero: due at once. */
struct pace {
	uint64_t started_ns, next_ns;	/* CLOCK_MONOTONIC */
};

/* Whether to read now; if so, the clock runs until pace_done(). */
bool pace_due(struct pace *pace);
void pace_done(struct pace *pace);

/* How long to wait after a reading that took this long. */
uint64_t pace_wait_ns(uint64_t cost_ns);

#endif
