/* SPDX-License-Identifier: MIT */
/*
 * What the probe and user space share: records of fixed width in memory that both map. The probe is the only
 * writer of all of them but the epoch, which user space moves.
 */
#ifndef RSTAT_PROBE_ABI_H
#define RSTAT_PROBE_ABI_H

#include <stdint.h>

enum { TASK_NAME_SIZE = 16 };	/* TASK_COMM_LEN, include/linux/sched.h */

/* slot.flags */
enum {
	SLOT_DEAD = 1,		/* freed; the record is final */
	SLOT_KERNEL = 2,	/* a kernel thread */
};

/* What a task has used, since its birth or since it got its slot. */
struct use {
	uint64_t cpu_ns;		/* se.sum_exec_runtime */
	uint64_t read_bytes, write_bytes;	/* ioac: block IO caused */
};

/* slot.state: the low bits of task_struct.__state (include/linux/sched.h) at the last switch */
enum {
	STATE_UNINTERRUPTIBLE = 0x2,
	STATE_DEAD = 0x80,
	STATE_NOLOAD = 0x400,	/* with UNINTERRUPTIBLE: idle, not blocked */
};

/*
 * One task (a thread), one cache line, written by the CPU that ran it. The identity is the slot's number with
 * its generation; the pid is a label, since exec from a non-leader thread changes it. The generation is odd
 * while the slot changes hands, and 0 before the first time. What was used counts from when the task got the slot.
 */
struct slot {
	uint32_t pid, tgid;
	uint32_t rss_pages;	/* of the whole process; 0 without memory of its own */
	uint32_t generation;
	struct use used;
	char name[TASK_NAME_SIZE];		/* comm: any bytes, NUL-terminated by the kernel */
	uint16_t state;
	uint8_t flags;
	uint8_t mark;		/* its mark, once more; for the probe only */
	uint32_t stamp;		/* jiffies of the record: of a process's threads the newest RSS wins */
};

/*
 * Behind the slots, in the same array, lie their marks: one byte each, the low bits of the epoch in which the slot was
 * written last. So a scan reads only what has changed. The epoch that a writer takes may be the one before when it writes:
 * scan k looks for k, k-1 and k-2, and what was under way for longer comes when all are read, after the next pass. Epochs look
 * the same again after a while; the highest bit is another one for the next task, so that a slot whose task is known to
 * have ended need not be read for that.
 */
enum { SLOT_MARKS = sizeof(struct slot) };	/* in one entry of the array */
enum { MARK_EPOCH = 0x7f, MARK_TENANT = 0x80 };

static inline __attribute__((always_inline)) uint8_t slot_mark(uint64_t epoch, uint32_t generation)
{
	return (uint8_t)((epoch & MARK_EPOCH) | (generation & 2 ? MARK_TENANT : 0));
}

/*
 * What runs on one CPU right now, copied by the sample program: a task that never switches is in no slot's
 * record. slot is the slot's number + 1, or 0 where the task has none.
 */
struct running {
	uint32_t slot, generation;
	uint32_t pid, tgid;
	uint32_t rss_pages;
	uint32_t changing;	/* bool: a switch was at work; slot and pid are 0, other_ns is of the sample before */
	struct use used;	/* as in the slot */
	uint64_t other_ns;	/* time of tasks without a slot on this CPU, since attaching */
	uint32_t unseen;	/* bool: the last switch was not seen; a pass over all tasks finds what runs */
	uint32_t reserved;
};

/* Counters of the probe itself, since attaching. */
struct counters {
	uint64_t high;		/* slots ever used: numbers below it may hold a task */
	uint64_t allocated;	/* slots given out */
	uint64_t freed;		/* slots marked dead */
	uint64_t dropped;	/* tasks that got no slot when they should have: none was free, or no storage */
	uint64_t regained;	/* of these: have got one since, or ended */
	uint64_t lost;		/* slots taken back from tasks whose end was not seen */
	uint64_t adopted;	/* tasks whose birth was skipped, given a slot by a switch */
	uint64_t passes;	/* of the seed program that saw all tasks: not from within a pid namespace */
	uint64_t jiffies;	/* at the last run of the sample program */
	uint64_t met_without;	/* tasks without a slot that passes have met */
	uint64_t reserved[6];
};

/* Alone in its page: the only memory of the probe that user space writes. */
struct epoch {
	uint64_t now;		/* the number of the scan that runs or comes next; 0: not all is attached yet */
	uint64_t reserved[7];
};

/* The ways into the kernel, the best first. */
enum probe_path {
	PATH_BTF,	/* tracing programs, task storage: 5.12 */
	PATH_RAW,	/* raw tracepoints, a hash by pid: 5.8 */
	PATH_PERF,	/* the same programs on perf events of tracepoints, which only root may open */
	PATHS
};

/* Where PATH_PERF finds fields in the records of tracepoints: bytes, as their format files say. */
struct tracepoint_offsets {
	uint16_t switch_prev_state, switch_next_pid, birth_pid, free_pid, exec_old_pid, reserved;
};

/* Numbers that one run of the fill program puts into the queue of fresh ones. */
enum { FILL_STEP = 256 };

/*
 * CPUs that one run of the sample program copies. The verifier walks each of them again, so with all of a large machine it
 * takes seconds, and from about 90 on it refuses.
 */
enum { SAMPLE_STEP = 4 };

/*
 * Read-only to the verifier: set by the loader before the programs are loaded, so that branches that this
 * machine does not take are not even verified.
 */
struct config {
	uint32_t cpus;		/* possible CPUs: entries of running */
	uint32_t capacity;	/* slots; the entries after them hold their marks */
	uint32_t prev_argument;	/* of sched_switch: 1, or 2 where prev_state comes first */
	uint32_t weak_order;	/* bool: stores of one CPU may be seen in another order, so that barriers are needed */
	uint32_t path;		/* enum probe_path */
	struct tracepoint_offsets at;	/* PATH_PERF */
};

/* How the probe's object asks for a map; the loader sets the capacity of those named in its table. */
struct map_definition {
	uint32_t type, key_size, value_size, max_entries, flags;
};

_Static_assert(sizeof(struct use) == 24, "use");
_Static_assert(sizeof(struct slot) == 64, "a slot is one cache line");
_Static_assert(__builtin_offsetof(struct slot, generation) == 12, "slot.generation");
_Static_assert(__builtin_offsetof(struct slot, used) == 16, "slot.used");
_Static_assert(__builtin_offsetof(struct slot, name) == 40, "slot.name");
_Static_assert(__builtin_offsetof(struct slot, stamp) == 60, "slot.stamp");
_Static_assert(sizeof(struct running) == 64, "a running record is one cache line");
_Static_assert(__builtin_offsetof(struct running, used) == 24, "running.used");
_Static_assert(__builtin_offsetof(struct running, other_ns) == 48, "running.other_ns");
_Static_assert(sizeof(struct counters) == 128, "counters");
_Static_assert(sizeof(struct epoch) == 64, "epoch");
_Static_assert(sizeof(struct config) == 32, "config");
_Static_assert(sizeof(struct map_definition) == 20, "map_definition");

#endif
