/* SPDX-License-Identifier: MIT */
/* Which slots a scan must read: see SLOT_MARKS in probe/abi.h. */
#ifndef RSTAT_COLLECT_MARKS_H
#define RSTAT_COLLECT_MARKS_H

#include <stdbool.h>
#include <stdint.h>

enum { MARKS_AT_ONCE = 8 };

/* Those of eight slots, from that number on: a multiple of eight. */
static inline uint64_t marks_of(const uint8_t *marks, uint32_t number)
{
	return __atomic_load_n((const uint64_t *)(marks + number), __ATOMIC_RELAXED);
}

/* Written in this epoch or in one of the two before. */
static inline bool mark_is_recent(uint8_t mark, uint8_t epoch)
{
	return (uint8_t)(epoch - mark) <= 2;
}

/* Whether one of eight is. */
static inline bool marks_are_recent(uint64_t marks, uint8_t epoch)
{
	const uint64_t ones = 0x0101010101010101, highest = ones << 7;
	uint64_t now = ones * epoch;
	/* the eight differences, none borrowing from the next */
	uint64_t ages = ((now | highest) - (marks & ~highest)) ^ ((now ^ ~marks) & highest);

	return (ages - ones * 3) & ~ages & highest;
}

#endif
