/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The probe. The kernel already counts; this copies. At each switch the outgoing task's CPU time (just brought up
 * to date by the scheduler), RSS, IO, state and name go into the task's slot, in memory that user space maps.
 *
 *	birth (task_newtask)	gives the task a slot; its number is kept in the task's storage
 *	switch (sched_switch)	records the outgoing task; adopts an incoming one whose birth was skipped
 *	free (sched_process_free)	marks the slot dead and returns its number
 *	seed (iter/task)	slots for the tasks older than we are; later passes renew the RSS of sleepers
 *	sample (test run)	copies what runs on each CPU now
 *
 * A freed number must not be given out before user space has read the slot's last record. User space starts
 * scan k by moving the epoch to k. What was freed in epoch j is marked dead before scan j+1 begins, so that scan
 * sees it, and is over when epoch j+2 begins: allocation in epoch e takes what was freed in e-2. Hence three
 * stacks, taken in turn.
 */
#include "probe/abi.h"
#include "probe/helpers.h"
#include "probe/kernel.h"

/*
 * What runs on one CPU, for the kernel side only: user space never maps a kernel pointer. task and slot are
 * written by that CPU's switches; the seed_ fields by the seed pass, and read only until its first switch.
 */
struct on_cpu {
	uint64_t task;		/* struct task_struct *; 0: has not switched since we attached */
	uint32_t slot;		/* number + 1, or 0: none (yet) */
	uint32_t seed_slot;
	uint64_t since_ns;	/* the task's CPU time when it was switched in, if it has no slot */
	uint64_t other_ns;	/* time of tasks without a slot */
	uint64_t seed_task;
	uint64_t reserved[3];
};

_Static_assert(sizeof(struct on_cpu) == 64, "one cache line per CPU");

/* The loader sets max_entries where 0 stands, from the machine. */
#define MAP(name, ...) const struct map_definition name SEC(".maps") = { __VA_ARGS__ }

MAP(slots_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct slot), 0, BPF_F_MMAPABLE);
MAP(running_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct running), 0, BPF_F_MMAPABLE);
MAP(counters_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct counters), 1, BPF_F_MMAPABLE);
MAP(epoch_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct epoch), 1, BPF_F_MMAPABLE);
MAP(on_cpu_map, BPF_MAP_TYPE_ARRAY, 4, sizeof(struct on_cpu), 0, 0);
MAP(slot_of_task_map, BPF_MAP_TYPE_TASK_STORAGE, 4, 4, 0, BPF_F_NO_PREALLOC);
MAP(free0_map, BPF_MAP_TYPE_STACK, 0, 4, 0, 0);
MAP(free1_map, BPF_MAP_TYPE_STACK, 0, 4, 0, 0);
MAP(free2_map, BPF_MAP_TYPE_STACK, 0, 4, 0, 0);

const volatile struct config config SEC(".rodata") = { 0 };
const char probe_license[] SEC("license") = "Dual MIT/GPL";

/* ---- numbers: which slot is free */

INLINE long pop_from(uint32_t epoch, uint32_t *number)
{
	switch (epoch % 3) {
	case 0: return map_pop(&free0_map, number);
	case 1: return map_pop(&free1_map, number);
	default: return map_pop(&free2_map, number);
	}
}

INLINE void push_to(uint32_t epoch, uint32_t *number)
{
	switch (epoch % 3) {
	case 0: map_push(&free0_map, number, 0); break;
	case 1: map_push(&free1_map, number, 0); break;
	default: map_push(&free2_map, number, 0);
	}
}

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

/*
 * A free number: freed two epochs ago, else never used, else (no room) freed since, whose last record is lost if
 * user space has not read it. 0, or -1: none.
 */
INLINE int take_number(struct counters *c, uint32_t epoch, uint32_t *number)
{
	uint32_t fresh;

	if (!pop_from(epoch + 1, number))
		return 0;
	if (ONCE(c->high) < config.capacity) {
		fresh = __sync_fetch_and_add(&c->high, 1);
		if (fresh < config.capacity) {
			*number = fresh;
			return 0;
		}
		__sync_fetch_and_add(&c->high, -1);
	}
	if (pop_from(epoch + 2, number) && pop_from(epoch, number))
		return -1;
	__sync_fetch_and_add(&c->lost, 1);
	return 0;
}

INLINE uint32_t number_plus_one(struct task_struct *task)
{
	uint32_t *number = storage_get(&slot_of_task_map, task, 0, 0);

	return number ? *number + 1 : 0;
}

INLINE struct slot *slot_at(uint32_t plus_one)
{
	uint32_t number = plus_one - 1;

	return plus_one ? map_lookup(&slots_map, &number) : 0;
}

/* ---- the record */

INLINE uint32_t state_of(struct task_struct *task)
{
	if (FIELD_EXISTS(task->__state))
		return task->__state;
	return ((struct task_struct___long_state *)task)->state;
}

/* The kernel's own sums of the three kinds; a sum of per-CPU counters may be below zero for a moment. */
INLINE uint32_t pages(int64_t file, int64_t anonymous, int64_t shared)
{
	int64_t sum = file + anonymous + shared;

	return sum < 0 ? 0 : sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
}

INLINE int64_t atomic_count(const int64_t *counter)
{
	int64_t count = 0;

	probe_read_kernel(&count, sizeof count, counter);
	return count;
}

/*
 * Up to 6.1. The whole path stands in each access: CO-RE could not tie the rest of a split one to the kernel, since
 * the counter's struct has no name.
 */
INLINE uint32_t atomic_pages(struct mm_struct___atomic *mm)
{
	return pages(atomic_count(&mm->rss_stat.count[MM_FILEPAGES].counter),
		     atomic_count(&mm->rss_stat.count[MM_ANONPAGES].counter),
		     atomic_count(&mm->rss_stat.count[MM_SHMEMPAGES].counter));
}

/* RSS in pages; 0 without memory, and for kernel threads that have borrowed some. */
INLINE uint32_t rss_of(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;

	if (!mm || task->flags & PF_KTHREAD)
		return 0;
	if (FIELD_EXISTS(VIEW(struct mm_struct)->rss_stat[0].count))
		return pages(mm->rss_stat[MM_FILEPAGES].count, mm->rss_stat[MM_ANONPAGES].count,
			     mm->rss_stat[MM_SHMEMPAGES].count);
	/* the verifier of 6.1 refuses direct loads from arrays of atomic_long_t */
	if (FIELD_EXISTS(VIEW(struct mm_struct___atomic)->rss_stat.count[0].counter))
		return atomic_pages((void *)mm);
	return 0;
}

INLINE void copy_name(struct slot *slot, struct task_struct *task)
{
	uint64_t *to = (void *)slot->name, *from = (void *)task->comm;

	to[0] = from[0];
	to[1] = from[1];
}

/*
 * All of the record but RSS: on each path that leads to it, the verifier of 6.18 takes a millisecond to allow the
 * access to mm, so that it is read once, before the paths part.
 */
INLINE void record(struct slot *slot, struct task_struct *task, uint32_t state)
{
	slot->pid = task->pid;
	slot->tgid = task->tgid;
	slot->cpu_ns = task->se.sum_exec_runtime;
	if (FIELD_EXISTS(VIEW(struct task_io_accounting)->read_bytes)) {
		slot->read_bytes = task->ioac.read_bytes;
		slot->write_bytes = task->ioac.write_bytes;
	}
	copy_name(slot, task);
	slot->state = state;
	slot->stamp = jiffies64();
}

/*
 * Gives the task a slot. Birth, seed and switch may try at once: the first to store its number in the task wins,
 * and the others give theirs back. Returns the number + 1 that this call stored, or 0.
 */
INLINE uint32_t take_slot(struct task_struct *task)
{
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	uint32_t number = 0, epoch, *stored;
	struct slot *slot;

	if (!c || !e || !task)
		return 0;
	epoch = ONCE(e->now);
	if (take_number(c, epoch, &number)) {
		__sync_fetch_and_add(&c->dropped, 1);
		return 0;
	}
	stored = storage_get(&slot_of_task_map, task, &number, BPF_STORAGE_GET_CREATE);
	if (!stored || *stored != number) {
		push_to(epoch + 1, &number);	/* never used: free at once */
		if (!stored && !storage_get(&slot_of_task_map, task, 0, 0))
			__sync_fetch_and_add(&c->dropped, 1);
		return 0;
	}
	slot = map_lookup(&slots_map, &number);
	if (!slot)
		return 0;
	__sync_fetch_and_add(&c->allocated, 1);
	__sync_fetch_and_add(&slot->generation, 1);	/* odd; a full barrier on each side of the change */
	slot->flags = (task->se.sum_exec_runtime ? SLOT_BASELINE : 0) |
		      (task->flags & PF_KTHREAD ? SLOT_KERNEL : 0);
	slot->read_bytes = slot->write_bytes = 0;
	slot->rss_pages = 0;	/* until its first switch, or the seed's next step */
	record(slot, task, state_of(task));
	__sync_fetch_and_add(&slot->generation, 1);
	return number + 1;
}

/*
 * Creating storage under the run-queue lock must not wake anyone: true where it does not call kmalloc. Elsewhere
 * a task without a slot waits for the next seed pass, and its time is other_ns.
 */
INLINE int may_adopt(void)
{
	return FIELD_EXISTS(VIEW(struct bpf_local_storage_map___pool)->bpf_ma) ||
	       FIELD_EXISTS(VIEW(struct bpf_local_storage_map___nolock)->use_kmalloc_nolock) ||
	       FIELD_EXISTS(VIEW(struct bpf_local_storage___always_nolock)->mem_charge);
}

/* ---- the programs */

/* In copy_process(), in process context, for every thread: where slots are given out. */
SEC("tp_btf/task_newtask")
int on_birth(uint64_t *arguments)
{
	take_slot((void *)arguments[0]);
	return 0;
}

INLINE void record_outgoing(struct on_cpu *cpu, struct task_struct *prev, int preempted)
{
	uint32_t rss_pages = rss_of(prev);	/* first: see record() */
	uint32_t number = cpu->task == (uint64_t)prev ? cpu->slot : 0;
	struct slot *slot = slot_at(number ? number : number_plus_one(prev));

	if (slot) {
		record(slot, prev, preempted ? 0 : state_of(prev));
		slot->rss_pages = rss_pages;
	} else if (cpu->task == (uint64_t)prev)
		cpu->other_ns += prev->se.sum_exec_runtime - cpu->since_ns;
}

/*
 * The sample program reads this CPU's task and slot from another CPU: slot is 0 while task changes, so that it
 * cannot take one task's counters for another's.
 */
INLINE void note_incoming(struct on_cpu *cpu, struct task_struct *next)
{
	struct counters *c;
	uint32_t number;

	ONCE(cpu->slot) = 0;
	ONCE(cpu->task) = (uint64_t)next;
	if (!next->pid)
		return;
	number = number_plus_one(next);
	if (!number && may_adopt()) {
		number = take_slot(next);
		c = the_counters();
		if (number && c)
			__sync_fetch_and_add(&c->adopted, 1);
		if (!number)	/* the seed pass was faster */
			number = number_plus_one(next);
	}
	if (!number)
		cpu->since_ns = next->se.sum_exec_runtime;
	ONCE(cpu->slot) = number;
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

SEC("tp_btf/sched_switch")
int on_switch(uint64_t *arguments)
{
	uint32_t number = this_cpu();
	struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
	struct task_struct *prev, *next;

	if (!cpu)
		return 0;
	if (config.prev_argument == 2) {
		prev = ARGUMENT(arguments, 2);
		next = ARGUMENT(arguments, 3);
	} else {
		prev = ARGUMENT(arguments, 1);
		next = ARGUMENT(arguments, 2);
	}
	if (prev->pid)
		record_outgoing(cpu, prev, arguments[0] & 1);
	note_incoming(cpu, next);
	return 0;
}

/* After the task's last switch. Final values, then dead, then the epoch is read: full barriers between. */
SEC("tp_btf/sched_process_free")
int on_free(uint64_t *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	uint32_t number = number_plus_one(task), freed_in;
	struct slot *slot = slot_at(number);
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();

	if (!slot || !c || !e)
		return 0;
	number--;
	slot->pid = task->pid;
	slot->cpu_ns = task->se.sum_exec_runtime;
	__sync_fetch_and_add(&c->freed, 1);
	slot->flags |= SLOT_DEAD;
	freed_in = __sync_fetch_and_add(&e->now, 0);
	push_to(freed_in, &number);
	return 0;
}

/* On a CPU that has not switched since we attached: the sample program finds the task here. */
INLINE void note_running(struct task_struct *task, uint32_t slot)
{
	uint32_t number = FIELD_EXISTS(VIEW(struct task_struct)->thread_info.cpu) ?
				  task->thread_info.cpu :
				  ((struct task_struct___own_cpu *)task)->cpu;
	struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);

	if (!cpu || ONCE(cpu->task))
		return;
	ONCE(cpu->seed_slot) = 0;
	ONCE(cpu->seed_task) = (uint64_t)task;
	ONCE(cpu->seed_slot) = slot;
}

/* What changes while a task sleeps: RSS under reclaim, a name set from outside. */
INLINE void renew(struct slot *slot, struct task_struct *task, uint32_t rss_pages)
{
	slot->rss_pages = rss_pages;
	copy_name(slot, task);
	slot->stamp = jiffies64();
}

/*
 * The first pass gives every task a slot. Later ones renew those that sleep; counters are left to the CPU that
 * runs the task.
 */
SEC("iter/task")
int on_seed(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	uint32_t number, rss_pages;
	struct slot *slot;

	if (!task)
		return 0;
	rss_pages = rss_of(task);
	number = number_plus_one(task);
	slot = slot_at(number);
	if (!slot) {
		number = take_slot(task);
		slot = slot_at(number);
	}
	if (task->on_cpu && number)
		note_running(task, number);
	else if (slot)
		renew(slot, task, rss_pages);
	return 0;
}

/* The mm may be on its way out: every read is checked. */
INLINE uint32_t probe_rss(struct task_struct *task)
{
	struct mm_struct *mm = PROBE_READ(task, mm);

	if (!mm || PROBE_READ(task, flags) & PF_KTHREAD)
		return 0;
	if (FIELD_EXISTS(VIEW(struct mm_struct)->rss_stat[0].count))
		return pages(PROBE_READ(mm, rss_stat[MM_FILEPAGES].count),
			     PROBE_READ(mm, rss_stat[MM_ANONPAGES].count),
			     PROBE_READ(mm, rss_stat[MM_SHMEMPAGES].count));
	if (FIELD_EXISTS(VIEW(struct mm_struct___atomic)->rss_stat.count[0].counter))
		return atomic_pages((void *)mm);
	return 0;
}

/* One CPU's entry. The task cannot be freed under us (RCU), but may be switched out at any moment. */
INLINE void copy_running(struct running *out, struct on_cpu *cpu)
{
	uint32_t slot = ONCE(cpu->slot);
	struct task_struct *task = (void *)ONCE(cpu->task);
	uint64_t since_ns = ONCE(cpu->since_ns), cpu_ns;
	int seeded = !task;

	if (seeded) {
		slot = ONCE(cpu->seed_slot);
		task = (void *)ONCE(cpu->seed_task);
	}
	out->slot = 0;
	out->pid = 0;
	out->other_ns = ONCE(cpu->other_ns);
	if (!task)
		return;
	cpu_ns = PROBE_READ(task, se.sum_exec_runtime);
	out->tgid = PROBE_READ(task, tgid);
	out->rss_pages = probe_rss(task);
	out->cpu_ns = cpu_ns;
	if (FIELD_EXISTS(VIEW(struct task_io_accounting)->read_bytes)) {
		out->read_bytes = PROBE_READ(task, ioac.read_bytes);
		out->write_bytes = PROBE_READ(task, ioac.write_bytes);
	}
	out->pid = PROBE_READ(task, pid);
	if (seeded ? ONCE(cpu->task) != 0 : ONCE(cpu->task) != (uint64_t)task || ONCE(cpu->slot) != slot)
		return;
	out->slot = slot;
	if (!slot && out->pid && !seeded && cpu_ns > since_ns)
		out->other_ns += cpu_ns - since_ns;
}

/* Run by BPF_PROG_TEST_RUN, once per sample. */
SEC("raw_tp")
int on_sample(void *context)
{
	struct counters *c = the_counters();

	(void)context;
	for (uint32_t i = 0; i < config.cpus; i++) {
		uint32_t number = i;	/* a counter whose address escapes is imprecise to the verifier */
		struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
		struct running *out = map_lookup(&running_map, &number);

		if (!cpu || !out)
			break;
		copy_running(out, cpu);
	}
	if (c)
		c->jiffies = jiffies64();
	return 0;
}
