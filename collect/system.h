/* SPDX-License-Identifier: MIT */
/* Load averages, from sysinfo(2), and the CPUs online, from /sys/devices/system/cpu/online. */
#ifndef RSTAT_COLLECT_SYSTEM_H
#define RSTAT_COLLECT_SYSTEM_H

#include <stddef.h>

#include "collect/sample.h"

enum {
	SYSTEM_CPUS_MAX = 65536,		/* a CPU's number is below */
	SYSTEM_CPUS_AGE_NS = 500000000,		/* how long a count stands */
};

struct system_source {
	int online;		/* descriptor */
	uint32_t cpus;		/* as last read; at start the CPUs possible, or 1 */
	uint64_t age_ns;	/* of that reading */
};

void system_open(struct system_source *system, int root);

/* Sets cpus, which is never 0, and load_milli. */
void system_read(struct system_source *system, struct sample *sample);

/*
 * How many CPUs a list such as "0-3,5" names; 0 where it is not one: ascending, each below
 * SYSTEM_CPUS_MAX.
 */
uint32_t system_parse_cpus(const void *bytes, size_t size);

/* A load average of sysinfo(2), 16 fractional bits, in thousandths, rounded. */
uint32_t system_load_milli(uint64_t load);

#endif
