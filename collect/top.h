/* SPDX-License-Identifier: MIT */
/* The largest processes by CPU, memory and IO. Those that may be among them are offered, top_fill() writes the lists. */
#ifndef RSTAT_COLLECT_TOP_H
#define RSTAT_COLLECT_TOP_H

#include <stdint.h>

#include "collect/sample.h"

struct tasks_options;
struct tasks_process;
struct ended_group;

struct top_list_building {
	uint32_t rows, limit;
	uint64_t min_key;	/* what is less is not listed */
	struct top_row {
		uint64_t key;
		const struct tasks_process *process;	/* one of the two */
		const struct ended_group *ended;
	} row[TOP_MAX];
};

struct top {
	struct top_list_building cpu, memory, io;	/* keys: ns, pages, bytes of the interval */
	uint64_t page_size;
};

/* Thresholds come from the options, as amounts within sample->elapsed_ns on sample->cpus CPUs. */
void top_begin(struct top *top, const struct tasks_options *options, const struct sample *sample);
void top_add_use(struct top *top, const struct tasks_process *process);
void top_add_memory(struct top *top, const struct tasks_process *process);
void top_add_ended(struct top *top, const struct ended_group *group);
void top_fill(const struct top *top, struct sample *sample);

/* ppm of all CPUs' time in the sample's interval, at most PPM; 0 where the interval is 0. */
uint32_t rate_of_cpus(uint64_t ns, const struct sample *sample);

/* Bytes per second over the sample's interval; 0 where that is shorter than 1 ms. */
uint64_t rate_of_bytes(uint64_t bytes, const struct sample *sample);

#endif
