/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The probe. The kernel already counts; this copies. At each switch the outgoing task's CPU time (just brought up
 * to date by the scheduler), RSS, IO, state and name go into the task's slot, in memory that user space maps.
 *
 *	birth (task_newtask)	gives the task a slot; its key is kept in the task's storage
 *	switch (sched_switch)	records the outgoing task; adopts an incoming one that has no slot
 *	free (sched_process_free)	marks the slot dead and returns its number
 *	seed (iter/task)	slots for the tasks older than we are; later passes renew the RSS of sleepers
 *	sample (test run)	copies what runs on each CPU now
 *	reclaim (test run)	takes a slot back from a task whose end was not seen
 *
 * A slot counts what its task used since it got the slot; before, and where there is none, the task's CPU time is
 * kept per CPU as other_ns. So every nanosecond is in one of the two.
 */
#include "probe/portable.h"

MAP(tenancy_map, BPF_MAP_TYPE_TASK_STORAGE, 4, sizeof(struct tenancy), 0, BPF_F_NO_PREALLOC);

/* ---- numbers */

/* A free number: freed two epochs ago, else never used. 0, or -1: none. */
INLINE int take_number(struct counters *c, struct epoch *e, uint32_t *number)
{
	uint32_t fresh;

	if (!pop_old(e, number))
		return 0;
	if (ONCE(c->high) >= config.capacity)
		return -1;
	fresh = __sync_fetch_and_add(&c->high, 1);
	if (fresh < config.capacity) {
		*number = fresh;
		return 0;
	}
	add(&c->high, -1);
	return -1;
}

INLINE struct tenancy *tenancy_of(struct task_struct *task)
{
	return storage_get(&tenancy_map, task, 0, 0);
}

INLINE struct use use_of(struct task_struct *task)
{
	struct use use = { .cpu_ns = task->se.sum_exec_runtime };

	if (FIELD_EXISTS(VIEW(struct task_io_accounting)->read_bytes)) {
		use.read_bytes = task->ioac.read_bytes;
		use.write_bytes = task->ioac.write_bytes;
	}
	return use;
}

/* With its base in it from the first moment: from then on only the CPU that runs the task changes that. */
INLINE struct tenancy *make_tenancy(struct task_struct *task)
{
	struct tenancy first = { .key = NO_SLOT, .base = use_of(task) };

	return storage_get(&tenancy_map, task, &first, BPF_STORAGE_GET_CREATE);
}

/* ---- the record */

INLINE uint32_t state_of(struct task_struct *task)
{
	if (FIELD_EXISTS(task->__state))
		return task->__state;
	return ((struct task_struct___long_state *)task)->state;
}

/*
 * RSS in pages; 0 without memory, and for kernel threads that have borrowed some. For the access to mm the verifier of 6.18
 * looks through the names of all the kernel's types, four times on each path that leads to it: milliseconds. So it is read
 * before the paths part, and where time does not count by probe_rss(), which asks the verifier for nothing.
 */
INLINE uint32_t rss_of(struct task_struct *task)
{
	struct mm_struct *mm = task->mm;
	struct mm_struct___atomic *old = (void *)mm;

	if (!mm || task->flags & PF_KTHREAD)
		return 0;
	if (FIELD_EXISTS(VIEW(struct mm_struct)->rss_stat[0].count))
		return pages(mm->rss_stat[MM_FILEPAGES].count, mm->rss_stat[MM_ANONPAGES].count,
			     mm->rss_stat[MM_SHMEMPAGES].count);
	/* the verifier of 6.1 refuses direct loads from arrays of atomic_long_t */
	if (FIELD_EXISTS(VIEW(struct mm_struct___atomic)->rss_stat.count[0].counter))
		return pages(PROBE_READ(old, rss_stat.count[MM_FILEPAGES].counter),
			     PROBE_READ(old, rss_stat.count[MM_ANONPAGES].counter),
			     PROBE_READ(old, rss_stat.count[MM_SHMEMPAGES].counter));
	return 0;
}

INLINE void copy_name(struct slot *slot, struct task_struct *task)
{
	uint64_t *to = (void *)slot->name, *from = (void *)task->comm;

	to[0] = from[0];
	to[1] = from[1];
}

/* All of the record but what was used and RSS. */
INLINE void record(struct slot *slot, struct task_struct *task, uint32_t state)
{
	slot->pid = task->pid;
	slot->tgid = task->tgid;
	copy_name(slot, task);
	slot->state = state;
	slot->stamp = jiffies64();
}

/* A number that is ours alone gets a new task. Odd while it changes; a full barrier on each side. */
INLINE void fill_slot(struct slot *slot, uint32_t number, struct task_struct *task)
{
	ADD_ORDERED(&slot->generation, 1);
	slot->flags = task->flags & PF_KTHREAD ? SLOT_KERNEL : 0;
	slot->used = (struct use){ 0 };
	slot->rss_pages = 0;	/* until its first switch, or the seed's next step */
	record(slot, task, state_of(task));
	ADD_ORDERED(&slot->generation, 1);
	mark(slot, number);
}

/*
 * Gives the task a slot. Birth, seed and switch may try at once: the first to mark the tenancy does it, the others leave
 * it at that. The key is put there when the slot is filled, so that no record of the task is ever passed over; until
 * then its time is other_ns. The slot counts from the tenancy's base. Returns the key, or 0.
 */
INLINE uint64_t give_slot(struct task_struct *task, struct tenancy *tenancy)
{
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	uint64_t before = ONCE(tenancy->key), key;
	uint32_t number = 0;
	struct slot *slot;

	if (!c || !e || key_slot(before) || before & KEY_GIVING)
		return NO_SLOT;
	if (__sync_val_compare_and_swap(&tenancy->key, before, before | KEY_GIVING) != before)
		return NO_SLOT;
	slot = take_number(c, e, &number) ? 0 : map_lookup(&slots_map, &number);
	if (!slot) {
		if (!before)
			add(&c->dropped, 1);
		ONCE(tenancy->key) = KEY_DROPPED;
		return NO_SLOT;
	}
	fill_slot(slot, number, task);
	key = make_key(number, slot->generation);
	ONCE(tenancy->key) = key;
	ADD_ORDERED(&c->allocated, 1);	/* see renew() */
	if (before)
		add(&c->regained, 1);
	return key;
}

/*
 * At birth and in the seed pass. Of two who make a task's first storage at once, be it for another program's map, the second
 * gets an error, and has to try again. A task without storage is tried again by a switch or by the next pass.
 */
INLINE struct tenancy *settle(struct task_struct *task)
{
	struct tenancy *tenancy = make_tenancy(task);
	struct counters *c;

	if (!tenancy)
		tenancy = make_tenancy(task);
	if (tenancy) {
		if (!key_slot(ONCE(tenancy->key)))
			give_slot(task, tenancy);
		return tenancy;
	}
	c = the_counters();
	if (c) {
		add(&c->dropped, 1);
		add(&c->regained, 1);
	}
	return 0;
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

/*
 * The sample program reads another CPU's entry: it takes nothing that changed meanwhile. x86 keeps the order of loads
 * and of stores by itself.
 */
INLINE void step_sequence(struct on_cpu *cpu)
{
	COMPILER_BARRIER();
	if (config.weak_order)
		ADD_ORDERED(&cpu->sequence, 1);
	else
		ONCE(cpu->sequence) = cpu->sequence + 1;
	COMPILER_BARRIER();
}

/* ---- the programs */

/* In copy_process(), in process context, for every thread: where slots are given out. */
SEC("tp_btf/task_newtask")
int on_birth(uint64_t *arguments)
{
	struct task_struct *task = (void *)arguments[0];

	if (task)
		settle(task);
	return 0;
}

/*
 * What began without a slot is other time to its end, also where the task has got one meanwhile, which then counts from
 * here. Where its beginning was not seen, the tenancy knows up to when its time has been counted.
 */
INLINE void end_without(struct on_cpu *cpu, struct task_struct *prev, int seen, uint32_t state)
{
	struct tenancy *tenancy = tenancy_of(prev);
	struct slot *slot;
	struct use use;
	uint64_t key;

	if (seen)
		cpu->other_ns += prev->se.sum_exec_runtime - ONCE(cpu->since_ns);
	else if (tenancy && is_dropped(ONCE(tenancy->key)))
		cpu->other_ns += prev->se.sum_exec_runtime - ONCE(tenancy->base.cpu_ns);
	if (!tenancy)
		return;
	use = use_of(prev);
	tenancy->base = use;
	key = ONCE(tenancy->key);
	slot = slot_of(key);
	if (!slot)
		return;
	tenancy->base = use_since(&use, &slot->used);	/* used: where its storage was not to be had when it came in */
	record(slot, prev, state);
	mark(slot, key_slot(key) - 1);
}

INLINE void record_outgoing(struct on_cpu *cpu, struct task_struct *prev, int preempted, uint32_t rss_pages)
{
	uint32_t state = preempted ? 0 : state_of(prev);
	struct tenancy held = { 0 }, *tenancy;
	struct slot *slot;
	struct use use;

	if (cpu->task == (uint64_t)prev) {
		held = cpu->now;
	} else {
		tenancy = tenancy_of(prev);	/* it was switched in before we attached, or unseen */
		if (tenancy)
			held = *tenancy;
	}
	if (!key_slot(held.key)) {
		end_without(cpu, prev, cpu->task == (uint64_t)prev, state);
		return;
	}
	slot = slot_of(held.key);
	if (!slot)
		return;
	use = use_of(prev);
	slot->used = use_since(&use, &held.base);
	record(slot, prev, state);
	slot->rss_pages = rss_pages;
	mark(slot, key_slot(held.key) - 1);
}

/* A task that was born unseen, or when no number was free. */
INLINE uint64_t adopt(struct task_struct *task, struct tenancy *tenancy)
{
	struct counters *c = the_counters();
	uint64_t key = ONCE(tenancy->key);

	if (!c || (is_dropped(key) && ONCE(c->allocated) - ONCE(c->freed) >= config.capacity))
		return NO_SLOT;
	key = give_slot(task, tenancy);
	if (key)
		add(&c->adopted, 1);
	else
		key = ONCE(tenancy->key);	/* the seed pass was faster */
	return key;
}

/* What a task without a slot has used since it was counted last, its end not being seen, is counted before it goes on. */
INLINE void count_without(struct on_cpu *cpu, struct task_struct *next, struct tenancy *tenancy)
{
	if (!is_dropped(ONCE(tenancy->key)))
		return;
	cpu->other_ns += next->se.sum_exec_runtime - ONCE(tenancy->base.cpu_ns);
	tenancy->base = use_of(next);
}

/*
 * Whether it is still what this task holds, which does not change once a task with a slot has run. Another task may have got
 * the memory: then the slot is dead, or another's, or its end was not seen, and it has that task's pid.
 */
INLINE int still_holds(const struct recent *recent, struct task_struct *task)
{
	struct slot *slot = recent->task == (uint64_t)task ? slot_of(recent->held.key) : 0;

	return slot && !(ONCE(slot->flags) & SLOT_DEAD) && slot->pid == (uint32_t)task->pid;
}

INLINE void note_incoming(struct on_cpu *cpu, struct task_struct *next)
{
	struct recent *recent = &cpu->recent[(uint32_t)next->pid % RECENT_TASKS];
	struct tenancy *tenancy;
	uint64_t key = NO_SLOT;

	ONCE(cpu->task) = (uint64_t)next;
	ONCE(cpu->now.key) = NO_SLOT;
	if (!next->pid)
		return;
	if (still_holds(recent, next)) {	/* a third of what looking into its storage takes */
		cpu->now.base = recent->held.base;
		ONCE(cpu->now.key) = recent->held.key;
		return;
	}
	tenancy = tenancy_of(next);
	if (!tenancy && may_adopt())
		tenancy = make_tenancy(next);
	if (tenancy) {
		key = ONCE(tenancy->key);
		if (!key_slot(key)) {
			count_without(cpu, next, tenancy);
			key = adopt(next, tenancy);
		}
		cpu->now.base = tenancy->base;
	}
	if (key_slot(key)) {
		ONCE(cpu->now.key) = key;
		recent->task = (uint64_t)next;
		recent->held = cpu->now;
	} else {
		ONCE(cpu->since_ns) = next->se.sum_exec_runtime;
	}
}

SEC("tp_btf/sched_switch")
int on_switch(uint64_t *arguments)
{
	uint32_t number = this_cpu();
	struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
	struct task_struct *prev, *next;
	uint32_t rss_pages;

	if (!cpu)
		return 0;
	if (config.prev_argument == 2) {
		prev = ARGUMENT(arguments, 2);
		next = ARGUMENT(arguments, 3);
	} else {
		prev = ARGUMENT(arguments, 1);
		next = ARGUMENT(arguments, 2);
	}
	rss_pages = rss_of(prev);
	step_sequence(cpu);
	if (cpu->task != (uint64_t)prev)
		end_unseen(cpu);
	if (prev->pid)
		record_outgoing(cpu, prev, arguments[0] & 1, rss_pages);
	note_incoming(cpu, next);
	step_sequence(cpu);
	return 0;
}

/* The number of a slot that is dead. Marked, then the epoch is read, with a full barrier between. */
INLINE void free_number(struct slot *slot, uint32_t number, struct epoch *e)
{
	uint64_t freed_in;

	set_mark(slot, number, e);
	freed_in = ADD_ORDERED(&e->now, 0);
	push_to(freed_in, &number);
}

/*
 * After the task's last switch. The generation is odd meanwhile, so that reclaim, which may take the slot for lost until
 * now, does not end it, too. Final values, then dead, then the epoch is read: full barriers between.
 */
SEC("tp_btf/sched_process_free")
int on_free(uint64_t *arguments)
{
	struct task_struct *task = (void *)arguments[0];
	struct tenancy *tenancy = tenancy_of(task);
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	uint32_t number, generation;
	struct slot *slot;
	uint64_t key;

	if (!tenancy || !c || !e)
		return 0;
	key = ONCE(tenancy->key);
	if (is_dropped(key))
		add(&c->regained, 1);
	slot = slot_at(key);
	if (!slot)
		return 0;
	generation = key_generation(key);
	if (__sync_val_compare_and_swap(&slot->generation, generation, generation + 1) != generation) {
		add(&c->lost, -1);	/* taken back while it waited for the end of a grace period */
		return 0;
	}
	number = key_slot(key) - 1;
	slot->pid = task->pid;
	slot->used.cpu_ns = task->se.sum_exec_runtime - tenancy->base.cpu_ns;
	ADD_ORDERED(&c->freed, 1);
	slot->flags |= SLOT_DEAD;
	ADD_ORDERED(&slot->generation, -1);
	free_number(slot, number, e);
	return 0;
}

/*
 * What changes while a task sleeps: RSS under reclaim, a name set from outside; not marked, since after a pass all slots are
 * read. The stamp says that it is alive. And that it
 * has made its last switch, if it had no slot then.
 */
INLINE void renew(struct slot *slot, struct task_struct *task, uint32_t rss_pages)
{
	uint32_t state = state_of(task);

	if (state & STATE_DEAD)
		slot->state = state;
	slot->rss_pages = rss_pages;
	copy_name(slot, task);
	slot->stamp = jiffies64();
}

INLINE uint32_t cpu_of(struct task_struct *task)
{
	if (FIELD_EXISTS(VIEW(struct task_struct)->thread_info.cpu))
		return task->thread_info.cpu;
	return ((struct task_struct___own_cpu *)task)->cpu;
}

/*
 * The first pass, before switches are seen, gives every task a slot. Later ones note what runs, and renew what may
 * sleep; counters are left to the CPU that runs the task.
 */
SEC("iter/task")
int on_seed(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct tenancy *tenancy;
	struct counters *c;
	struct epoch *e;
	uint32_t rss_pages;
	struct slot *slot;

	if (!task)
		return 0;
	rss_pages = probe_rss(task);
	c = the_counters();
	e = the_epoch();
	tenancy = settle(task);
	if (!c || !e || !tenancy)
		return 0;
	if (task->on_cpu && ONCE(e->now))
		note_running(task, cpu_of(task), tenancy, 0);
	/* kthreadd: only in the first pid namespace does a pass meet it, and everything else */
	if (task->pid == 2 && task->flags & PF_KTHREAD)
		add(&c->passes, 1);
	slot = slot_of(ONCE(tenancy->key));
	if (!slot) {
		add(&c->met_without, is_dropped(ONCE(tenancy->key)));
		return 0;
	}
	renew(slot, task, rss_pages);
	return 0;
}

/* Run by BPF_PROG_TEST_RUN with the first CPU of SAMPLE_STEP, once per sample for each such part. */
SEC("test_run/sample")
int on_sample(uint64_t *arguments)
{
	sample_some(arguments[0], 0);
	return 0;
}

/*
 * Run by BPF_PROG_TEST_RUN with (key, stamp) of a slot whose task has made its last switch and is met by no pass any
 * more: it was freed unseen, since the kernel skips a tracing program that interrupts itself, or did not give its storage.
 * Nothing is done where the slot has changed since.
 */
SEC("test_run/reclaim")
int on_reclaim(uint64_t *arguments)
{
	uint64_t key = arguments[0];
	uint32_t number = key_slot(key) - 1, generation = key_generation(key);
	struct slot *slot = slot_of(key);
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();

	if (!slot || !c || !e || slot->stamp != (uint32_t)arguments[1] || slot->flags & SLOT_DEAD)
		return 0;
	if (__sync_val_compare_and_swap(&slot->generation, generation, generation + 1) != generation)
		return 0;
	if (ONCE(slot->flags) & SLOT_DEAD) {	/* freed meanwhile */
		ADD_ORDERED(&slot->generation, -1);
		return 0;
	}
	slot->used = (struct use){ 0 };
	slot->flags |= SLOT_DEAD;
	ADD_ORDERED(&slot->generation, 1);
	add(&c->freed, 1);
	add(&c->lost, 1);
	free_number(slot, number, e);
	return 0;
}
