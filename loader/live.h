/* SPDX-License-Identifier: MIT */
/* The probe while it runs: memory that it writes, and the few calls that the loop makes into the kernel. */
#ifndef RSTAT_LOADER_LIVE_H
#define RSTAT_LOADER_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "loader/object.h"
#include "loader/sandbox.h"
#include "probe/abi.h"

enum {
	PROBE_LINKS_MAX = 4,
	PROBE_NAME_SIZE = 24,
	PROBE_PIECES_MAX = 4194304 * 64 / 8192,	/* of two pages each: as many as there may be slots */
};

/* When the last pass that met all tasks had not begun yet, and the one before it: in jiffies as in slot.stamp. */
struct probe_passes {
	bool known;
	bool twice;			/* the one before, too, on a way that may miss a last switch; else false */
	uint32_t last, before;
	uint64_t complete;		/* of the counters, after the last pass */
	uint64_t without, counted;	/* tasks without a slot after it: as it met them, and by dropped less regained */
};

/* Living tasks without a slot: what the last pass met, and what came and went since, whose ends may be unseen. */
static inline uint64_t probe_without(const struct probe_passes *passes, const struct counters *counters)
{
	uint64_t now = counters->dropped - counters->regained;
	int64_t without = (int64_t)(passes && passes->complete ? now - passes->counted + passes->without : now);

	return without > 0 ? (uint64_t)without : 0;
}

/* The running probe. Everything in the mapped memory changes under the reader. */
struct probe {
	const struct slot *slots;	/* those of pieces that are held may be read */
	const uint8_t *marks;		/* one for each of them, see SLOT_MARKS */
	uint32_t capacity, mapped_marks;
	uint32_t piece;			/* slots of one */
	int unmapped;			/* -errno of the first mapping of this scan that failed */
	bool passed;			/* a pass has been made, which leaves no marks: all slots are to be read */
	const struct running *running;
	uint32_t cpus;			/* possible: entries of running */
	const struct counters *counters;
	struct epoch *epoch;		/* the one thing user space writes */
	struct probe_passes passes;
	uint64_t passed_ns;		/* when a pass was made last for a switch that was not seen; CLOCK_MONOTONIC */

	int slots_map, sample, seed, reclaim;	/* descriptors; -1: none */
	int link[PROBE_LINKS_MAX];
	int program[OBJECT_PROGRAMS_MAX];	/* until probe_seal(), in the object's order */
	char program_name[OBJECT_PROGRAMS_MAX][PROBE_NAME_SIZE];
	uint32_t programs;
	enum probe_path path;
	uint32_t switch_index;		/* of the program on sched_switch */
	uint64_t switch_id;		/* where it is attached: id in the kernel's BTF, or of the event */
	uint64_t held[PROBE_PIECES_MAX / 64];	/* a bit for each piece; last, since little of it is ever touched */
};

/* Bytes of address space that are reserved for the slots and their marks, with what a piece may be too long. */
static inline size_t probe_reserved(const struct probe *probe)
{
	return (size_t)probe->capacity * (sizeof(struct slot) + 1) + SANDBOX_PIECE_MAX;
}

/* A probe without anything, which may be unloaded. */
void probe_clear(struct probe *probe);

/* Closes the descriptors that only --check and --profile need. */
void probe_seal(struct probe *probe);

/* Moves the epoch and copies what runs now; the scan may begin. 0 or -errno. One system call for four CPUs; again, a few times at the
 * most, where that met a switch at work; a pass where a switch was not seen, every 250 ms at the most. */
int probe_begin_scan(struct probe *probe);

/* How many slots may hold a task, as far as their marks can be read: maps more of these where the tasks have become more. */
uint32_t probe_readable(struct probe *probe);

/* Whether the piece that a slot lies in is mapped. */
static inline bool probe_holds(const struct probe *probe, uint32_t number)
{
	uint32_t piece = number / probe->piece;

	return probe->held[piece / 64] >> piece % 64 & 1;
}

/* Maps it where it is not. False where that fails, or has in this scan: `unmapped` says why. */
bool probe_hold(struct probe *probe, uint32_t number);

/* Gives the memory of a piece back. Whoever reads its slots before they are held again is killed. */
void probe_release(struct probe *probe, uint32_t number);

/* Gives back the whole pages of this process's own memory in a range: they are zero afterwards, or as they were. */
void drop_pages(const void *begin, const void *end);

/* A pass over all tasks: slots for those without, fresh RSS for sleepers. 0 or -errno. */
int probe_refresh(struct probe *probe);

/*
 * Whether a slot that is not dead may have lost its task. What has made its last switch is not freed yet only if a pass meets
 * it; where that switch was not seen either, two passes in a row have to miss it: one may, while an exec exchanges pids.
 * The reclaim program looks whether the task lives: there are kernels whose passes leave tasks out.
 */
static inline bool probe_is_stale(const struct probe_passes *passes, uint32_t stamp, uint16_t state)
{
	if (passes->known && state & STATE_DEAD && (int32_t)(stamp - passes->last) < 0)
		return true;
	return passes->twice && (int32_t)(stamp - passes->before) < 0;
}

/* Takes a slot back, unless it has changed, or its task lives: number and generation as they were read. 0 or -errno. */
int probe_reclaim(struct probe *probe, uint32_t number, uint32_t generation, uint32_t stamp);

/*
 * For comparison: a program that does nothing, attached beside the one on sched_switch. Both descriptors are the
 * caller's; the link's, or -errno, is returned.
 */
int probe_attach_empty(const struct probe *probe, int *program);

/* Detaches and unmaps everything. The kernel would do it at exit as well. */
void probe_unload(struct probe *probe);

#endif
