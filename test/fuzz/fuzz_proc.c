/* SPDX-License-Identifier: MIT */
/*
 * Tasks by a walk over /proc, on a machine made of text (fake.h): processes that come, go and lie, a part for each walk;
 * and what the scanner makes of the slots.
 */
#include "test/fuzz/fake.h"

#include "collect/proc.h"
#include "collect/tasks.h"
#include "loader/sys.h"

enum { CAPACITY = 24, PARTS_MAX = 8, SECOND = 1000000000 };

static void check_records(const struct proc *proc)
{
	uint32_t in_use = 0, met = 0, resting = 0;

	MUST(proc->high <= CAPACITY);
	for (uint32_t i = 0; i < proc->high; i++) {
		const struct slot *slot = &proc->slot[i];

		in_use += proc->record[i].pid != 0;
		MUST(!(slot->generation & 1) && slot->pid == slot->tgid);
		MUST(!proc->record[i].pid || (proc->record[i].pid == slot->pid && !(slot->flags & SLOT_DEAD)));
	}
	for (uint32_t i = 0; i < PROC_BUCKETS; i++)
		for (uint32_t at = proc->bucket[i]; at; at = proc->record[at - 1].next)
			MUST(at <= proc->high && ++met <= in_use && proc->record[at - 1].pid % PROC_BUCKETS == i);
	for (uint32_t at = proc->free; at; at = proc->record[at - 1].next)
		MUST(at <= proc->high && ++resting <= proc->high && !proc->record[at - 1].pid);
	for (uint32_t at = proc->buried; at; at = proc->record[at - 1].next)
		MUST(at <= proc->high && ++resting <= proc->high && !proc->record[at - 1].pid);
	MUST(met == in_use && in_use + resting == proc->high);
	MUST(proc->counters.allocated - proc->counters.freed == in_use);
}

static void check_list(const struct top_list *list)
{
	MUST(list->count <= TOP_MAX);
	for (uint32_t i = 0; i < list->count; i++)
		for (uint32_t j = 0; j < i; j++)
			MUST(!list->entry[i].pid || list->entry[i].pid != list->entry[j].pid);
}

static void check_sample(const struct sample *s)
{
	MUST(s->cpu_ppm <= PPM && s->other_cpu_ppm <= PPM && s->blocked_listed <= BLOCKED_MAX);
	MUST(s->tasks_running <= s->tasks_total || s->tasks_total <= CAPACITY);
	check_list(&s->top_cpu);
	check_list(&s->top_memory);
	check_list(&s->top_io);
}

static void walk(struct proc *proc, struct tasks *tasks, struct sample *s)
{
	const struct tasks_options options = { .top_rows = TOP_MAX, .page_size = 4096 };
	struct tasks_view view = { .slots = proc->slot, .counters = &proc->counters };
	uint64_t before_ns = fake.now_ns;

	fake.now_ns += fake_find("brief") > 0 ? SECOND / 10 : SECOND;
	if (fake_find("refresh") > 0)
		proc_refresh(proc);
	proc_walk(proc, fake.now_ns);
	check_records(proc);
	view.readable = proc->high;
	s->cpus = 1 + (uint32_t)(proc->walk % 4);
	s->elapsed_ns = fake.now_ns - before_ns;
	s->known = proc->walk > 1 ? KNOWS_RATES : 0;
	s->cpu_ppm = s->other_cpu_ppm = 0;
	tasks_read(tasks, &view, &options, s);
	tasks_conclude(tasks, &view, &options, fake.now_ns, s);
	proc_complete(proc, s);
	check_sample(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proc *proc;
	static struct tasks *tasks;
	static void *slots, *memory;
	struct feed feed = feed_over(data, size);
	struct sample s = { 0 };
	int root, error;

	if (!proc) {
		proc = malloc(sizeof *proc);
		tasks = malloc(sizeof *tasks);
		slots = malloc(proc_memory(CAPACITY));
		memory = malloc(tasks_memory(CAPACITY, 0));
	}
	memset(proc, 0, sizeof *proc);
	memset(tasks, 0, sizeof *tasks);
	memset(slots, 0, proc_memory(CAPACITY));
	memset(memory, 0, tasks_memory(CAPACITY, 0));
	fake_begin();
	fake_part(&feed);
	root = fake_root();
	error = proc_open(proc, root, slots, CAPACITY);
	fake_system(NR_close, root, 0, 0, 0, 0, 0);
	if (!error) {
		tasks_open(tasks, memory, CAPACITY, 0);
		for (unsigned i = 0; i < PARTS_MAX; i++) {
			walk(proc, tasks, &s);
			if (!fake_part(&feed))
				break;
		}
		walk(proc, tasks, &s);
		proc_close(proc);
	}
	MUST(!fake.opens);
	fake_end();
	return 0;
}
