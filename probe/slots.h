/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The maps, and the numbers of slots: which are free, and when a freed one may be given out again.
 *
 * That must not be before user space has read the slot's last record. User space starts scan k by moving the epoch
 * to k. What was freed in epoch j is marked dead before scan j+1 begins, so that scan sees it, and is over when
 * epoch j+2 begins: allocation in epoch e takes what was freed in e-2. Hence three stacks, taken in turn.
 */
#ifndef RSTAT_PROBE_SLOTS_H
#define RSTAT_PROBE_SLOTS_H

#include "probe/abi.h"
#include "probe/helpers.h"

/* A slot's identity: its number + 1 in the low half, its generation in the high one. */
enum {
	NO_SLOT = 0,
	KEY_DROPPED = 1ull << 32,	/* none, since no number was free; counted as dropped */
	KEY_GIVING = 1ull << 33,	/* with one of the above: somebody is about to give it one */
};

INLINE uint64_t make_key(uint32_t number, uint32_t generation)
{
	return (number + 1) | (uint64_t)generation << 32;
}

INLINE uint32_t key_slot(uint64_t key)	/* number + 1, or 0 */
{
	return (uint32_t)key;
}

INLINE uint32_t key_generation(uint64_t key)
{
	return (uint32_t)(key >> 32);
}

INLINE int is_dropped(uint64_t key)
{
	return !key_slot(key) && key & KEY_DROPPED;
}

/* A task's hold on a slot, and what the task had used when it got it. */
struct tenancy {
	uint64_t key;
	struct use base;
};

/* A task that ran on a CPU lately, and what it holds. */
struct recent {
	uint64_t task;		/* struct task_struct *, or 0 */
	struct tenancy held;	/* with a slot */
	uint64_t reserved[3];
};

enum { RECENT_TASKS = 16 };	/* by the low bits of their pids */

/*
 * What runs on one CPU, for the kernel side only: user space never maps a kernel pointer. The first line is written
 * by that CPU's switches, as are the last; the second by the passes, and read where no switch tells what runs (asked: by the
 * sample program).
 */
struct on_cpu {
	uint64_t sequence;	/* odd while a switch changes what follows */
	uint64_t task;		/* struct task_struct *; 0: has not switched since we attached */
	struct tenancy now;	/* of that task */
	uint64_t since_ns;	/* the task's CPU time when it was switched in, if it has no slot */
	uint64_t other_ns;	/* time of tasks without a slot */

	uint64_t seed_task;
	struct tenancy seed;
	uint64_t seed_sequence;	/* the switch after which it was so */
	uint64_t asked, asked_passes;	/* the sequence at which nothing was found to run, and how many passes were made then */

	struct recent recent[RECENT_TASKS];
};

_Static_assert(sizeof(struct recent) == 64, "a recent task is one cache line");
_Static_assert(__builtin_offsetof(struct on_cpu, recent) == 128, "two cache lines, and the recent tasks");
_Static_assert(__builtin_offsetof(struct on_cpu, seed_task) == 64, "seed apart from what switches write");

/* The loader sets max_entries where 0 stands, from the machine. */
#define MAP(name, ...) const struct map_definition name SEC(".maps") = { __VA_ARGS__ }

MAP(slots_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct slot), 0, BPF_F_MMAPABLE);
MAP(running_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct running), 0, BPF_F_MMAPABLE);
MAP(counters_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct counters), 1, BPF_F_MMAPABLE);
MAP(epoch_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct epoch), 1, BPF_F_MMAPABLE);
MAP(on_cpu_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct on_cpu), 0, 0);
MAP(free0_map, BPF_MAP_TYPE_STACK, 0, 4, 0, 0);
MAP(free1_map, BPF_MAP_TYPE_STACK, 0, 4, 0, 0);
MAP(free2_map, BPF_MAP_TYPE_STACK, 0, 4, 0, 0);

const volatile struct config config SEC(".rodata") = { 0 };
const char probe_license[] SEC("license") = "Dual MIT/GPL";

/*
 * Written out, since newer compilers make of __sync_fetch_and_add() an instruction that 5.10 does not know. A full
 * barrier on x86 (lock add), none on aarch64.
 */
INLINE void add(uint64_t *counter, int64_t by)
{
	__asm__ volatile("lock *(u64 *)(%0 + 0) += %1" ::"r"(counter), "r"(by) : "memory");
}

INLINE void add32(uint32_t *counter, uint64_t by)
{
	__asm__ volatile("lock *(u32 *)(%0 + 0) += %1" ::"r"(counter), "r"(by) : "memory");
}

/*
 * Adds, and orders all before it before all after it. Only an atomic that returns a value is a full barrier, and the
 * compiler drops the value where nobody takes it.
 */
#define ADD_ORDERED(pointer, by)                                                                   \
	({                                                                                         \
		__typeof__(*(pointer)) old_ = __sync_fetch_and_add(pointer, by);                   \
		__asm__ volatile("" ::"r"(old_));                                                  \
		old_;                                                                              \
	})

INLINE int pop_from(uint64_t epoch, uint32_t *number)
{
	switch (epoch % 3) {
	case 0: return map_pop(&free0_map, number);
	case 1: return map_pop(&free1_map, number);
	default: return map_pop(&free2_map, number);
	}
}

INLINE void push_to(uint64_t epoch, uint32_t *number)
{
	switch (epoch % 3) {
	case 0: map_push(&free0_map, number, 0); break;
	case 1: map_push(&free1_map, number, 0); break;
	default: map_push(&free2_map, number, 0);
	}
}

/*
 * A number that was freed two epochs ago. Where the epoch has moved meanwhile, that stack may be the present one's, and
 * what came from it may have a last record that is not read yet: it goes back, and the next stack is tried. 0, or -1: none.
 */
INLINE int pop_old(struct epoch *e, uint32_t *number)
{
	for (int tries = 0; tries < 2; tries++) {
		uint64_t epoch = ONCE(e->now);

		if (pop_from(epoch + 1, number))
			break;
		if (ONCE(e->now) == epoch)
			return 0;
		push_to(epoch + 1, number);
	}
	return -1;
}

/* The verifier wants the offset into the arguments in the load itself; the compiler would share the load. */
#define ARGUMENT(arguments, n)                                                                     \
	({                                                                                         \
		struct task_struct *task_;                                                         \
		__asm__ volatile("%0 = *(u64 *)(%1 + %2)"                                          \
				 : "=r"(task_)                                                     \
				 : "r"(arguments), "i"((n) * 8));                                  \
		task_;                                                                             \
	})

INLINE struct counters *the_counters(void)
{
	uint32_t zero = 0;

	return map_lookup(&counters_map, &zero);
}

INLINE struct epoch *the_epoch(void)
{
	uint32_t zero = 0;

	return map_lookup(&epoch_map, &zero);
}

INLINE struct slot *slot_at(uint64_t key)
{
	uint32_t number = key_slot(key) - 1;

	return key_slot(key) ? map_lookup(&slots_map, &number) : 0;
}

/* The slot of a key while it is still the key's: 0 where it is being made, or has been taken back. */
INLINE struct slot *slot_of(uint64_t key)
{
	struct slot *slot = slot_at(key);

	return slot && ONCE(slot->generation) == key_generation(key) ? slot : 0;
}

INLINE void set_mark(struct slot *slot, uint32_t number, struct epoch *e)
{
	uint32_t at = config.capacity + number / SLOT_MARKS;
	uint8_t *marks = map_lookup(&slots_map, &at);
	uint8_t value = slot_mark(ONCE(e->now), slot->generation);

	if (marks)
		ONCE(marks[number % SLOT_MARKS]) = value;
	ONCE(slot->mark) = value;
}

/* After a record: the next two scans read it. Once in an epoch, the other records find it done. */
INLINE void mark(struct slot *slot, uint32_t number)
{
	struct epoch *e = the_epoch();

	COMPILER_BARRIER();
	if (e && ONCE(slot->mark) != slot_mark(ONCE(e->now), slot->generation))
		set_mark(slot, number, e);
}

/* The kernel's own sums of the three kinds; a sum of per-CPU counters may be below zero for a moment. */
INLINE uint32_t pages(int64_t file, int64_t anonymous, int64_t shared)
{
	int64_t sum = file + anonymous + shared;

	return sum < 0 ? 0 : sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

#endif
