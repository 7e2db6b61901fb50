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
	if (pace->wait) {
		pace->wait--;
		return false;
	}
	pace->started_ns = now_ns();
	return true;
}

void pace_done(struct pace *pace)
{
	uint64_t now = now_ns();

	pace->wait = now > pace->started_ns ? pace_every(now - pace->started_ns) - 1 : 0;
}

uint32_t pace_every(uint64_t cost_ns)
{
	uint64_t every = cost_ns / PACE_BUDGET_NS + (cost_ns % PACE_BUDGET_NS != 0);

	if (!every)
		return 1;
	return every < PACE_MAX ? (uint32_t)every : PACE_MAX;
}
