/* SPDX-License-Identifier: MIT */
/*
 * The sources that are files, one row each: what is opened once and then read for every sample.
 * After opening, the only system calls are pread64, sysinfo, clock_gettime, and close for a device
 * that went away.
 */
#ifndef RSTAT_COLLECT_SOURCES_H
#define RSTAT_COLLECT_SOURCES_H

#include <stdint.h>

#include "collect/cpufreq.h"
#include "collect/memory.h"
#include "collect/power.h"
#include "collect/pressure.h"
#include "collect/sample.h"
#include "collect/system.h"
#include "collect/thermal.h"

struct sources {
	struct system_source system;
	struct memory_source memory;
	struct pressure_source pressure;
	struct thermal_source thermal;
	struct cpufreq_source cpufreq;
	struct power_source power;
};

enum { SOURCES_COUNT = 6 };

struct sources_row {
	const char *name;
	void (*open)(struct sources *sources, int root);
	void (*read)(struct sources *sources, struct sample *sample);
};

extern const struct sources_row sources_table[SOURCES_COUNT];

/*
 * Opens all that this machine has below `root`, a directory descriptor ("/" outside of tests) that
 * is not needed afterwards. What is missing is left out; nothing here fails. page_size: what the
 * kernel swaps in, bytes.
 */
void sources_open(struct sources *sources, int root, uint64_t page_size);

/*
 * Reads all of the table, in its order. Before, the caller clears known and throttled_count, and
 * sets elapsed_ns and KNOWS_RATES where there was an earlier sample.
 */
void sources_read(struct sources *sources, struct sample *sample);

#endif
