/* SPDX-License-Identifier: MIT */
/*
 * The sources that are files, one row each: what is opened once and then read for every sample. The first rows are
 * always read; those from SOURCES_SENSORS on are sensors, which share a budget (budget.h).
 *
 * After opening, the only system calls are pread64, sysinfo, clock_gettime, and close for a device that went away; every
 * SOURCES_SCAN_NS openat, getdents64 and readlinkat, to see whether devices have come, and for a GPU that has woken,
 * until sources_seal().
 */
#ifndef RSTAT_COLLECT_SOURCES_H
#define RSTAT_COLLECT_SOURCES_H

#include <stdint.h>

#include "collect/battery.h"
#include "collect/budget.h"
#include "collect/cpufreq.h"
#include "collect/gpu.h"
#include "collect/memory.h"
#include "collect/power.h"
#include "collect/pressure.h"
#include "collect/sample.h"
#include "collect/system.h"
#include "collect/thermal.h"

#define SOURCES_SCAN_NS 30000000000ULL

enum { SOURCES_COUNT = 8, SOURCES_SENSORS = 3, SOURCES_NOTICE_SIZE = 120 };

/* What the user chose; NULL: the best, or all. Kept as they are. */
struct sources_choice {
	const char *temperature;	/* NAME or NAME:LABEL */
	const char *gpu, *battery;	/* a name, for a GPU also a driver's; "none" */
	uint64_t budget_ns;		/* of an average sample; 0: BUDGET_DEFAULT_NS */
};

struct sources {
	struct system_source system;
	struct memory_source memory;
	struct pressure_source pressure;
	struct thermal_source thermal;
	struct cpufreq_source cpufreq;
	struct power_source power;
	struct gpu_source gpus;
	struct battery_source batteries;

	struct budget budget;
	struct sources_choice choice;
	int root;		/* for scans; negative: sealed */
	uint64_t scanned_ns, began_ns;	/* the last scan; the reading of this sample's sensors */
	char notice[SOURCES_NOTICE_SIZE];
};

struct sources_row {
	const char *name;
	void (*read)(struct sources *sources, struct sample *sample);
};

extern const struct sources_row sources_table[SOURCES_COUNT];

/*
 * Opens all that this machine has below `root`, a directory descriptor ("/" outside of tests). What is missing is left
 * out; nothing here fails. page_size: what the kernel swaps in, bytes. clock: CLOCK_MONOTONIC in ns.
 */
void sources_open(struct sources *sources, int root, uint64_t page_size, const struct sources_choice *choice,
		  uint64_t (*clock)(void));

/* Before the rows of a sample are read: what came and went, when it is time to look. */
void sources_begin(struct sources *sources);

/* No file can be opened from now on: what is not open stays absent. */
void sources_seal(struct sources *sources);

/*
 * What the user should be told, once: a line without a line feed, or NULL. That a device was chosen that is not there,
 * or was turned off since it is slow.
 */
const char *sources_notice(struct sources *sources);

/*
 * Reads all of the table, in its order. Before, the caller clears known, the counts of throttled, GPUs and batteries, and
 * sets elapsed_ns and KNOWS_RATES where there was an earlier sample.
 */
void sources_read(struct sources *sources, struct sample *sample);

#endif
