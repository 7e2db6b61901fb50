/* SPDX-License-Identifier: MIT */
/*
 * What graphs show: CPU and memory of the last minutes, a column each second, or each interval where that is longer.
 * So a graph moves once a second at the most, however often a sample is taken.
 */
#ifndef RSTAT_COLLECT_HISTORY_H
#define RSTAT_COLLECT_HISTORY_H

#include <stdint.h>

#include "collect/sample.h"

/* The column that is being filled; zero at the start. */
struct history {
	uint64_t elapsed_us;
	uint64_t cpu_ppm_us, memory_ppm_us;	/* amounts times how long they lasted */
};

/* Adds a sample to sample->cpu_history and memory_history, which no one else changes. */
void history_add(struct history *history, struct sample *sample);

#endif
