/* SPDX-License-Identifier: MIT */
/*
 * A sensor that is slow to read is read less often. The rule: what took c is read again at the n-th sample from
 * then, n = c / PACE_BUDGET_NS rounded up, so that on average no sample spends more than the budget on it; but
 * at least every PACE_MAX samples. In between, its last value stands.
 */
#ifndef RSTAT_COLLECT_PACE_H
#define RSTAT_COLLECT_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PACE_BUDGET_NS = 2000000,
	PACE_MAX = 60,
};

/* All zero: due at once. */
struct pace {
	uint32_t wait;		/* samples to leave out before the next reading */
	uint64_t started_ns;
};

/* Whether to read now; if so, the clock runs until pace_done(). Once per sample. */
bool pace_due(struct pace *pace);
void pace_done(struct pace *pace);

/* How many samples from one reading to the next, where one costs this much. */
uint32_t pace_every(uint64_t cost_ns);

#endif
