/* SPDX-License-Identifier: MIT */
/*
 * Memory and swap, from /proc/meminfo, and how fast pages are swapped, from /proc/vmstat. The cache
 * of ZFS counts as used in meminfo; what it would give back (/proc/spl/kstat/zfs/arcstats) counts
 * as available here.
 */
#ifndef RSTAT_COLLECT_MEMORY_H
#define RSTAT_COLLECT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/sample.h"

/* Pages since boot. */
struct memory_swapped {
	uint64_t in, out;
};

struct memory_source {
	int meminfo, vmstat, arcstats;	/* descriptors */
	uint64_t page_size;		/* bytes; set before memory_open() */
	bool has_before;
	struct memory_swapped before;
	bool swapped_out;		/* pages went out between the last two readings */
};

void memory_open(struct memory_source *memory, int root);

/*
 * Sets the fields of KNOWS_MEMORY, and with swap, from the second reading on, those of
 * KNOWS_SWAP_RATES.
 */
void memory_read(struct memory_source *memory, struct sample *sample);

struct memory_info {
	uint64_t total_bytes, available_bytes;	/* available <= total */
	uint64_t swap_total_bytes, swap_free_bytes;	/* free <= total */
};

/*
 * False where the total is missing or 0, or nothing says what is available. No swap lines: no swap.
 */
bool memory_parse_meminfo(const void *bytes, size_t size, struct memory_info *info);
bool memory_parse_vmstat(const void *bytes, size_t size, struct memory_swapped *swapped);

/* Bytes of the ZFS cache above its minimum. */
bool memory_parse_arcstats(const void *bytes, size_t size, uint64_t *reclaimable);

/* count * unit per second, 0 where no time has passed; the largest value where it does not fit. */
uint64_t memory_rate(uint64_t count, uint64_t unit, uint64_t elapsed_ns);

#endif
