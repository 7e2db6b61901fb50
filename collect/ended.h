/* SPDX-License-Identifier: MIT */
/* Processes that ended within the interval, grouped by name: nobody can act on their pids any more. */
#ifndef RSTAT_COLLECT_ENDED_H
#define RSTAT_COLLECT_ENDED_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/abi.h"

enum { ENDED_GROUPS = 256, ENDED_BUCKETS = 512 };

static inline void use_add(struct use *sum, const struct use *use)
{
	sum->cpu_ns += use->cpu_ns;
	sum->read_bytes += use->read_bytes;
	sum->write_bytes += use->write_bytes;
}

struct ended_group {
	char name[TASK_NAME_SIZE];	/* zero-filled behind its NUL */
	struct use used;
	uint32_t processes;
	bool user;			/* not all of them were kernel threads */
};

struct ended {
	uint32_t groups;			/* group[0 .. groups) are in use */
	struct ended_group group[ENDED_GROUPS + 1];	/* the last takes what finds no room */
	uint16_t bucket[ENDED_BUCKETS];		/* group's index + 1; 0: empty */
};

/* Forgets the groups of the interval before. */
void ended_clear(struct ended *ended);

/* Adds what tasks of this name used; processes: how many leaders among them. name: 16 raw bytes. */
void ended_add(struct ended *ended, const char *name, bool kernel, uint32_t processes, const struct use *used);

#endif
