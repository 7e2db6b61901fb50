/* SPDX-License-Identifier: MIT */
/*
 * The processes with the most memory, of which most sleep: kept from scan to scan, so that the list of them costs what has
 * changed. Whoever is not a member has no more than the floor.
 */
#ifndef RSTAT_COLLECT_LARGE_H
#define RSTAT_COLLECT_LARGE_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/top.h"

struct tasks_process;

enum {
	LARGE_KEPT = 64,	/* when they are chosen anew, of all */
	LARGE_MAX = 256,	/* with those that have grown since */
};

struct large {
	bool full;		/* one more should be in it */
	uint32_t floor;		/* pages */
	uint32_t members;
	uint32_t member[LARGE_MAX];	/* indexes of processes */
};

/* A process whose memory may have grown. */
void large_note(struct large *large, struct tasks_process *all, uint32_t index);

/* Offers the largest ones for the list. all[0 .. count): a member that is none any more has tgid 0. */
void large_offer(struct large *large, struct tasks_process *all, uint32_t count, struct top *top);

#endif
