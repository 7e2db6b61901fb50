/* SPDX-License-Identifier: MIT */
#include "collect/pace.h"

#include "loader/sys.h"

static uint64_t now_ns(void)
{
	struct sys_timespec now;

	if (sys_clock_gettime(SYS_CLOCK_MONOTONIC, &now))
		return 0;
	return (uint64_t)now.seconds * 1000000000 + (uint64_t)now.nanoseconds;
}

bool pace_due(struct pace *pace)
{
	pace->started_ns = now_ns();
	return pace->started_ns >= pace->next_ns;
}

void pace_done(struct pace *pace)
{
	uint64_t now = now_ns();

	pace->next_ns = now > pace->started_ns ? now + pace_wait_ns(now - pace->started_ns) : 0;
}

uint64_t pace_wait_ns(uint64_t cost_ns)
{
	if (cost_ns < PACE_FREE_NS)
		return 0;
	return cost_ns < PACE_MAX_NS / PACE_SHARE ? cost_ns * PACE_SHARE : PACE_MAX_NS;
}
