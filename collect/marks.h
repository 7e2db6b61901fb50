/* SPDX-License-Identifier: MIT */
/* Which slots a scan must read: see SLOT_MARKS in probe/abi.h. */
#ifndef RSTAT_COLLECT_MARKS_H
#define RSTAT_COLLECT_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/abi.h"

enum { MARKS_AT_ONCE = 8 };

/* Those of eight slots, from that number on: a multiple of eight. */
static inline uint64_t marks_of(const uint8_t *marks, uint32_t number)
{
	return __atomic_load_n((const uint64_t *)(marks + number), __ATOMIC_RELAXED);
}

static inline uint8_t mark_of(const uint8_t *marks, uint32_t number)
{
	return __atomic_load_n(&marks[number], __ATOMIC_RELAXED);
}

/* Written in this epoch or in one of the two before; or 128 epochs earlier, when marks look the same. */
static inline bool mark_is_recent(uint8_t mark, uint8_t epoch)
{
	return ((epoch - mark) & MARK_EPOCH) <= 2;
}

/* Whether one of eight is. */
static inline bool marks_are_recent(uint64_t marks, uint8_t epoch)
{
	const uint64_t ones = 0x0101010101010101, highest = ones << 7;
	/* the eight differences, none borrowing from the next */
	uint64_t ages = (ones * (epoch & MARK_EPOCH) | highest) - (marks & ~highest);

	return ~((ages | highest) - ones * 3) & highest;
}

/* Whether it has not the bit of that generation's task: it is the next one's, as the one after that comes later. */
static inline bool mark_is_of_next(uint8_t mark, uint32_t generation)
{
	return (mark ^ slot_mark(0, generation)) & MARK_TENANT;
}

#endif
