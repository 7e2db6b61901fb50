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

/* What a CPU's entry says, or nothing (false) where a switch changes it at this moment. */
INLINE int read_running(struct running *out, struct on_cpu *cpu, int portable)
{
	uint64_t sequence = read_sequence(cpu, portable), task = ONCE(cpu->task), cpu_ns;
	uint64_t other_ns = ONCE(cpu->other_ns), since_ns = ONCE(cpu->since_ns);
	struct tenancy held = task ? cpu->now : cpu->seed;
	struct task_struct *running = (void *)(task ? task : ONCE(cpu->seed_task));
	struct use use;
	uint32_t pid = 0;

	out->slot = 0;
	if (running) {
		/* it cannot be freed under us (RCU), but may be switched out at any moment */
		pid = PROBE_READ(running, pid);
		out->tgid = PROBE_READ(running, tgid);
		out->rss_pages = probe_rss(running);
		use = probe_use(running);
		out->used = use_since(&use, &held.base);
		cpu_ns = use.cpu_ns;
		if (portable && config.path == PATH_PERF)
			cpu_ns = clock_ns();
		if (task && (pid || (portable && is_by_pid(task))) && !key_slot(held.key) && cpu_ns > since_ns)
			other_ns += cpu_ns - since_ns;
	}
	if (sequence & 1 || read_sequence(cpu, portable) != sequence)
		return 0;
	out->pid = pid;
	out->generation = key_generation(held.key);
	out->slot = key_slot(held.key);
	out->other_ns = other_ns;
	return 1;
}

/* User space asks again for a CPU that is changing its task. */
INLINE void copy_running(struct running *out, struct on_cpu *cpu, int portable)
{
	out->changing = !read_running(out, cpu, portable);
	if (out->changing)
		out->slot = out->pid = 0;	/* other_ns stays */
}

INLINE void sample_all(int portable)
{
	struct counters *c = the_counters();

	for (uint32_t i = 0; i < config.cpus; i++) {
		uint32_t number = i;	/* a counter whose address escapes is imprecise to the verifier */
		struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
		struct running *out = map_lookup(&running_map, &number);

		if (!cpu || !out)
			break;
		copy_running(out, cpu, portable);
	}
	if (c)
		c->jiffies = jiffies64();
}

/* On a CPU that has not switched since we attached: the sample program finds the task here. */
INLINE void note_running(struct task_struct *task, uint32_t number, const struct tenancy *tenancy)
{
	struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);

	if (!cpu || ONCE(cpu->task))
		return;
	cpu->seed.base = tenancy->base;
	cpu->seed.key = ONCE(tenancy->key);
	ONCE(cpu->seed_task) = (uint64_t)task;
}

#endif
