/* SPDX-License-Identifier: MIT */
/*
 * Tasks without a probe: a walk over /proc that writes the same slots, one per process, for tasks_read().
 * The walk sees a process as it is, so what one used between the last walk that saw it and its end is in no slot:
 * proc_complete() adds it to the machine's total, from /proc/stat.
 *
 * After opening, the only system calls are lseek, getdents64 and openat on the directory, read and close of what was
 * opened, pread64 of kept files, and clock_gettime, also of other processes' CPU clocks.
 */
#ifndef RSTAT_COLLECT_PROC_H
#define RSTAT_COLLECT_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/sample.h"
#include "probe/abi.h"

enum { PROC_BUCKETS = 1024, PROC_ENTRIES_SIZE = 4096, PROC_TICK_NS = 10000000 };

/* What there is to know of a slot's process beside the slot. */
struct proc_record {
	uint64_t started;	/* ticks since boot: with the pid, its identity */
	uint64_t read_cpu_ns;	/* CPU time when its files were last read */
	struct use base;	/* what the process had used when it got the slot: the slot counts from there */
	uint32_t pid;		/* 0: no process */
	uint32_t next;		/* index + 1 in its bucket, or among the buried or free ones; 0: last */
	uint32_t seen, read;	/* number of the last walk that listed it; that read its files */
	uint32_t threads;
	uint8_t young;		/* bool: born after the walk before it was seen, so its base is zero */
	uint8_t by_ticks;	/* bool: its CPU clock cannot be read */
	uint8_t io_known, io_hidden;	/* bool */
};

/* Counters of the whole machine, since boot. */
struct proc_machine {
	bool busy_known, blocks_known;
	uint64_t busy_ns;
	uint64_t read_bytes, write_bytes;	/* of all block devices */
};

/* The collector's memory. Zeroed, then proc_open(). */
struct proc {
	struct slot *slot;		/* [capacity] */
	struct proc_record *record;	/* [capacity] */
	uint32_t capacity, high;	/* slots; of them ever used */
	uint32_t free, buried;		/* lists, index + 1; what is buried is free from the next walk on */
	uint32_t walk;			/* number of the last walk */
	uint32_t refreshed;		/* sleepers read in a walk up to this one are to be read again */
	uint32_t refreshes_left;	/* in this walk */
	bool brief;			/* this walk follows the one before closely */
	uint32_t without_slot;		/* processes of this walk */
	uint32_t io_hidden;		/* processes whose IO may not be read */
	uint64_t walked_ns;		/* when the walk before began, CLOCK_BOOTTIME */
	bool clocks;			/* the pids here are those of our own system calls */
	int directory, stat, loadavg, vmstat;	/* descriptors */
	struct proc_machine now, before;
	int64_t ahead_ns;		/* how far the machine's time is ahead of what was shown; negative: behind */
	struct counters counters;
	uint32_t bucket[PROC_BUCKETS];	/* index + 1 of the first record */
	char entries[PROC_ENTRIES_SIZE];
};

/* Bytes of zeroed memory that proc_open() wants; pages of it are touched as processes come. */
size_t proc_memory(uint32_t capacity);

/* root: a directory that has "proc", not needed afterwards. 0, or -errno where that is no /proc. */
int proc_open(struct proc *proc, int root, void *memory, uint32_t capacity);
void proc_close(struct proc *proc);

/*
 * Brings slots [0 .. high) up to date; boot_ns: CLOCK_BOOTTIME now. CPU time is always of now. The rest of a process
 * that did not run since it was last read is not read again; of one that ran for less than 1 ms, in every fourth
 * walk. One whose files cannot be read keeps its last record.
 */
void proc_walk(struct proc *proc, uint64_t boot_ns);

/* From now on also reads those that sleep, some in each walk: their RSS shrinks under reclaim. */
void proc_refresh(struct proc *proc);

/*
 * What the slots do not say, after tasks_conclude(): threads, tasks and how many run, the time of processes that
 * ended between two walks, and all IO where that of some processes is hidden.
 */
void proc_complete(struct proc *proc, struct sample *sample);

/* A process's "stat" (proc_pid_stat(5)). */
struct proc_stat {
	char name[TASK_NAME_SIZE];	/* raw bytes, zero-filled */
	char state;
	bool kernel;
	uint32_t threads;
	uint32_t rss_pages;
	uint64_t cpu_ticks, started;	/* ticks */
};

/* False where a field is missing or out of range. The name may hold any byte, also parentheses and newlines. */
bool proc_parse_stat(const void *bytes, size_t size, struct proc_stat *stat);

#endif
