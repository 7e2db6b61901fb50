/* SPDX-License-Identifier: MIT */
/*
 * From slots to processes: what each task used since the scan before, summed by process (tgid). The slots change
 * while they are read, and nothing in them is trusted further than its own bits.
 */
#ifndef RSTAT_COLLECT_TASKS_H
#define RSTAT_COLLECT_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/ended.h"
#include "collect/large.h"
#include "collect/sample.h"
#include "loader/live.h"
#include "probe/abi.h"

/* What one scan reads: mapped memory of the probe, after probe_begin_scan(). */
struct tasks_view {
	const struct slot *slots;
	const uint8_t *marks;		/* of the slots; NULL: all are read each time */
	uint32_t readable;		/* slots[0 .. readable) */
	uint8_t epoch;			/* of this scan, see SLOT_MARKS */
	bool all;			/* read all of them this time, ... */
	bool whole;			/* ... also those of pieces that are not held */
	struct probe *probe;		/* which holds pieces of slots; NULL: all can be read */
	const struct running *running;
	uint32_t cpus;			/* possible: entries of running */
	const struct counters *counters;
	const struct probe_passes *passes;	/* NULL: slots never lose their tasks */
};

struct tasks_options {
	uint32_t top_rows;		/* 0 .. TOP_MAX */
	uint32_t min_cpu_ppm;		/* of all CPUs: what is less is not listed */
	uint64_t min_rss_bytes;
	uint64_t min_io_bytes_per_second;
	uint64_t page_size;		/* bytes */
	bool no_kernel;			/* leave kernel threads out of the lists */
};

enum { TASKS_BUCKETS = 4096, TASKS_STALE_MAX = 1024 };

/* A slot that may have lost its task, as it was read. */
struct tasks_stale {
	uint32_t number, generation, stamp;
};

/* One slot as the scan before left it. */
struct tasks_seen {
	struct use used;		/* since its task got it */
	uint32_t process : 28;		/* index + 1; 0: none, or its end has been counted */
	uint32_t alive : 1, running : 1, blocked : 1;	/* as it is counted */
	uint32_t listed : 1;		/* among those that are blocked, or were */
};

struct tasks_process {
	uint32_t tgid;			/* 0: this entry is free */
	uint32_t next;			/* index + 1 in its bucket or in the free list; 0: last */
	uint32_t threads;		/* live slots */
	uint32_t kernel : 1;
	uint32_t leader_dead : 1;	/* its last switch was its last */
	uint32_t changed : 1, watched : 1, large : 1;	/* in these lists */
	struct use used;		/* in this interval */
	uint64_t dead_since_ns;		/* first seen with no thread but a dead leader; 0: not so */
	uint32_t rss_pages, rss_stamp;
	char name[TASK_NAME_SIZE];
};

/* The collector's memory. Zeroed, then tasks_open(). */
struct tasks {
	uint32_t capacity, cpus;
	struct tasks_seen *seen;		/* [capacity]; zero where the piece is not held */
	uint32_t *generation;			/* [capacity]: of each slot, when it was read last */
	struct tasks_process *process;		/* [2 * capacity]: of the scan before, and new ones */
	uint32_t *changed;			/* [2 * capacity]: processes that this interval has something of */
	uint32_t *watched;			/* [2 * capacity]: processes whose leader has ended */
	uint32_t *blocked;			/* [capacity]: slots */
	uint64_t *other_ns;			/* [cpus] */
	uint32_t high, free;			/* processes: used so far; free list, index + 1 */
	uint32_t search;			/* no free one before this that is not in the list */
	uint32_t changed_count, watched_count, blocked_count;
	uint32_t alive, running;		/* tasks, as their slots say */
	uint32_t scans;
	uint32_t readable;			/* slots, at the last reading */
	bool concluded;				/* since the last reading */
	bool all;				/* all slots have been read in this interval */
	struct use total;			/* of all tasks, in this interval */
	uint64_t zombie_since_ns;		/* since when the youngest one that is listed has been dead; 0: none */
	uint64_t other_total_ns;		/* of tasks without a slot; part of the total */
	struct ended ended;
	struct large large;
	uint32_t stale_count;			/* found in this interval; more wait for the next pass */
	struct tasks_stale stale[TASKS_STALE_MAX];
	uint32_t bucket[TASKS_BUCKETS];		/* index + 1 of the first process */
};

/* Bytes of zeroed memory that tasks_open() wants; pages of it are touched as tasks come. */
size_t tasks_memory(uint32_t capacity, uint32_t cpus);
void tasks_open(struct tasks *tasks, void *memory, uint32_t capacity, uint32_t cpus);

/*
 * Reads the slots that have changed, with what runs laid over, and adds what is new to the interval. Fills task counts and blocked.
 * May be done again within an interval: what counts is when the last reading was.
 */
void tasks_read(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		struct sample *sample);

/*
 * Ends the interval. Takes elapsed_ns and cpus (online) from the sample, and KNOWS_RATES, without which all is a first
 * reading; fills cpu, io, top lists, zombies and slot counts.
 */
void tasks_conclude(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		    uint64_t now_ns, struct sample *sample);

#endif
