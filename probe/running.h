/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What runs on each CPU now: the sample program, which reads what other CPUs' switches write. */
#ifndef RSTAT_PROBE_RUNNING_H
#define RSTAT_PROBE_RUNNING_H

#include "probe/reads.h"

/* on_cpu.task where PATH_PERF knows the pid only: no read accepts it for a pointer */
INLINE uint64_t task_by_pid(uint32_t pid)
{
	return (uint64_t)pid << 1 | 1;
}

/* The idle task's pid is 0. */
INLINE int is_by_pid(uint64_t task)
{
	return task > 1 && task & 1;
}

/*
 * It takes nothing that changed meanwhile. x86 keeps the order of loads by itself; elsewhere it takes a barrier,
 * which kernels of the portable paths do not have (see docs/design.md).
 */
INLINE uint64_t read_sequence(struct on_cpu *cpu, int portable)
{
	uint64_t sequence;

	COMPILER_BARRIER();
	sequence = !portable && config.weak_order ? ADD_ORDERED(&cpu->sequence, 0) : ONCE(cpu->sequence);
	COMPILER_BARRIER();
	return sequence;
}

/* Whether a switch was at work meanwhile. */
INLINE int has_changed(struct on_cpu *cpu, int portable, uint64_t sequence)
{
	return sequence & 1 || read_sequence(cpu, portable) != sequence;
}

/* What a reading of a CPU's entry has brought. */
enum reading {
	READ_CHANGING,	/* nothing: a switch is at work */
	READ_WELL,
	READ_NOTHING,	/* no task that runs: the one we know of does not run here any more, so a switch was not seen */
};

/*
 * Whether the task runs on that CPU: where it left unseen, it may be running on another one, or be gone, when reads
 * give what is there, or 0. A pid does not tell, that of the idle task (1) included.
 */
INLINE int is_current(uint64_t task, uint32_t number)
{
	struct task_struct *pointer = (void *)task;

	return (config.path == PATH_PERF && task & 1) || (probe_runs(pointer) && probe_cpu(pointer) == number);
}

/* The task that a pass has found to run on the CPU since its last switch, if it does. */
INLINE uint64_t seeded(struct on_cpu *cpu, uint32_t number)
{
	uint64_t task = ONCE(cpu->seed_task);

	return task && cpu->seed_sequence == ONCE(cpu->sequence) && is_current(task, number) ? task : 0;
}

INLINE enum reading read_running(struct running *out, struct on_cpu *cpu, uint32_t number, int portable,
				 uint64_t sequence)
{
	uint64_t task = ONCE(cpu->task), cpu_ns;
	uint64_t other_ns = ONCE(cpu->other_ns), since_ns = ONCE(cpu->since_ns);
	struct tenancy held = cpu->now;
	struct task_struct *running = (void *)task;
	enum reading nothing = task || cpu->seed_task ? READ_NOTHING : READ_WELL;
	struct use use;
	uint32_t pid;

	out->slot = out->pid = 0;	/* where a switch is at work, other_ns stays */
	if (!task || !is_current(task, number)) {
		running = (void *)seeded(cpu, number);
		if (!running) {
			if (has_changed(cpu, portable, sequence))
				return READ_CHANGING;
			out->other_ns = other_ns;
			return nothing;
		}
		held = cpu->seed;
		since_ns = held.base.cpu_ns;
	}
	/* a task that runs is not freed under us (RCU), but may be switched out at any moment */
	pid = PROBE_READ(running, pid);
	out->tgid = PROBE_READ(running, tgid);
	out->rss_pages = probe_rss(running);
	use = probe_use(running);
	out->used = use_since(&use, &held.base);
	cpu_ns = use.cpu_ns;
	if (portable && config.path == PATH_PERF)
		cpu_ns = clock_ns();
	if ((pid || (portable && is_by_pid(task))) && !key_slot(held.key) && cpu_ns > since_ns)
		other_ns += cpu_ns - since_ns;
	if (has_changed(cpu, portable, sequence))
		return READ_CHANGING;
	out->pid = pid;
	out->generation = key_generation(held.key);
	out->slot = key_slot(held.key);
	out->other_ns = other_ns;
	return READ_WELL;
}

/*
 * User space asks again for a CPU that is changing its task. So it does where nothing was found for the first time, since
 * a task is on its CPU a moment after the switch was seen. The next time it is asked for a pass; if that does not find
 * what runs either (the idle task is in no pass), there is none.
 */
INLINE void copy_running(struct running *out, struct on_cpu *cpu, uint32_t number, int portable, uint64_t passes)
{
	uint64_t sequence = read_sequence(cpu, portable);
	enum reading reading = read_running(out, cpu, number, portable, sequence);

	out->unseen = 0;
	out->changing = reading == READ_CHANGING;
	if (reading != READ_NOTHING)
		return;
	if (cpu->asked == sequence) {
		out->unseen = cpu->asked_passes == passes;
		return;
	}
	out->changing = 1;
	cpu->asked = sequence;
	cpu->asked_passes = passes;
}

/* Of SAMPLE_STEP CPUs, from that number on. */
INLINE void sample_some(uint64_t first, int portable)
{
	struct counters *c = the_counters();
	uint64_t passes;

	if (!c)
		return;
	passes = ONCE(c->passes);

	/* of 64 bits, since the verifier forgets a narrower counter when it is spilled; a copy's address may escape */
	for (uint64_t i = 0; i < SAMPLE_STEP && i < config.cpus; i++) {
		uint32_t number = (uint32_t)(first + i);
		struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
		struct running *out = map_lookup(&running_map, &number);

		if (!cpu || !out)	/* past the last one */
			break;
		copy_running(out, cpu, number, portable, passes);
	}
	c->jiffies = jiffies64();
}

/*
 * On a CPU whose last switch does not tell, or that has not switched since we attached. Its beginning was not seen: without a
 * slot it counts as end_without() will count it, from the base of who was dropped, or not at all.
 */
INLINE void note_running(struct task_struct *task, uint32_t number, const struct tenancy *tenancy, int portable)
{
	struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
	uint64_t last;

	if (!cpu)
		return;
	last = ONCE(cpu->task);
	if (last && is_current(last, number))
		return;
	cpu->seed.base = tenancy->base;
	cpu->seed.key = ONCE(tenancy->key);
	if (!key_slot(cpu->seed.key) && (portable || !is_dropped(cpu->seed.key)))
		cpu->seed.base.cpu_ns = UINT64_MAX;
	cpu->seed_sequence = ONCE(cpu->sequence);
	ONCE(cpu->seed_task) = (uint64_t)task;
}

/*
 * In a switch from another task than the last one was to: that one went unseen, since the kernel has skipped us. Its
 * record is made here, as it may not be seen to go the next time either, unless it runs elsewhere: that CPU will do it.
 */
INLINE void end_unseen(struct on_cpu *cpu)
{
	struct task_struct *task = (void *)cpu->task;
	struct slot *slot = slot_of(cpu->now.key);
	struct use use;

	if (!cpu->task || is_by_pid(cpu->task) || !slot || PROBE_READ(task, pid) != (int)slot->pid)
		return;
	use = probe_use(task);
	use = use_since(&use, &cpu->now.base);
	/* its own once more: what is not dead now is nobody else's before the second scan from here begins */
	if (probe_runs(task) || slot->flags & SLOT_DEAD || slot_of(cpu->now.key) != slot)
		return;
	slot->state = probe_state(task);
	if (use.cpu_ns > slot->used.cpu_ns)
		slot->used = use;
	slot->stamp = jiffies64();
	mark(slot, key_slot(cpu->now.key) - 1);
}

#endif
