/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* Reads through a task pointer that is not known to be good: every one is checked, and gives 0 where it fails. */
#ifndef RSTAT_PROBE_READS_H
#define RSTAT_PROBE_READS_H

#include "probe/kernel.h"
#include "probe/slots.h"

/* RSS in pages; 0 without memory, and for kernel threads that have borrowed some. */
INLINE uint32_t probe_rss(struct task_struct *task)
{
	struct mm_struct *mm = PROBE_READ(task, mm);
	struct mm_struct___atomic *old = (void *)mm;

	if (!mm || PROBE_READ(task, flags) & PF_KTHREAD)
		return 0;
	if (FIELD_EXISTS(VIEW(struct mm_struct)->rss_stat[0].count))
		return pages(PROBE_READ(mm, rss_stat[MM_FILEPAGES].count),
			     PROBE_READ(mm, rss_stat[MM_ANONPAGES].count),
			     PROBE_READ(mm, rss_stat[MM_SHMEMPAGES].count));
	if (FIELD_EXISTS(VIEW(struct mm_struct___atomic)->rss_stat.count[0].counter))
		return pages(PROBE_READ(old, rss_stat.count[MM_FILEPAGES].counter),
			     PROBE_READ(old, rss_stat.count[MM_ANONPAGES].counter),
			     PROBE_READ(old, rss_stat.count[MM_SHMEMPAGES].counter));
	return 0;
}

INLINE uint32_t probe_state(struct task_struct *task)
{
	if (FIELD_EXISTS(task->__state))
		return PROBE_READ(task, __state);
	return (uint32_t)PROBE_READ((struct task_struct___long_state *)task, state);
}

INLINE struct use probe_use(struct task_struct *task)
{
	struct use use = { .cpu_ns = PROBE_READ(task, se.sum_exec_runtime) };

	if (FIELD_EXISTS(VIEW(struct task_io_accounting)->read_bytes)) {
		use.read_bytes = PROBE_READ(task, ioac.read_bytes);
		use.write_bytes = PROBE_READ(task, ioac.write_bytes);
	}
	return use;
}

/* Since the task got its slot. */
INLINE struct use use_since(const struct use *now, const struct use *base)
{
	return (struct use){
		now->cpu_ns - base->cpu_ns,
		now->read_bytes - base->read_bytes,
		now->write_bytes - base->write_bytes,
	};
}

/* On which CPU it runs, or ran last. */
INLINE uint32_t probe_cpu(struct task_struct *task)
{
	if (FIELD_EXISTS(VIEW(struct task_struct)->thread_info.cpu))
		return PROBE_READ(task, thread_info.cpu);
	return PROBE_READ((struct task_struct___own_cpu *)task, cpu);
}

/* Whether it is on a CPU, in as many bytes as the kernel says that in. */
INLINE int probe_runs(struct task_struct *task)
{
	uint32_t on_cpu = 0;

	probe_read_kernel(&on_cpu, FIELD_SIZE(task->on_cpu), &task->on_cpu);
	return on_cpu != 0;
}

#endif
