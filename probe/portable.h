/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * The probe for kernels without task storage (5.8 to 5.11), and wherever the tracing programs cannot be attached: the
 * same slots, found by pid. Each program can be loaded as a raw tracepoint (PATH_RAW), whose arguments are pointers to
 * tasks, or on a tracepoint's perf event (PATH_PERF), whose record has pids; config.path is a constant to the
 * verifier, so that it sees one of the two.
 *
 *	birth, free, switch, seed	as in rstat.bpf.c; a task without a slot is adopted when it is switched out
 *	exec (sched_process_exec)	moves the entry of a thread that takes over its leader's pid
 *	fill (test run)	puts numbers into the queue of those never used
 *
 * Atomic operations give no value here: 5.10 has only an addition. What decides who was first are map operations:
 * inserting an entry (BPF_NOEXIST) and deleting it succeed for one. Who inserts fills the slot, who deletes ends it.
 * Maps are preallocated, so that they may be changed under the run-queue lock.
 *
 * A pid may mean two tasks: until sched_process_free, a grace period after a task's end, its entry is there, and an exec
 * from a thread exchanges pids before it is told. So an entry knows its task, and is used for no other.
 *
 * PATH_PERF at a switch: the outgoing task is current, the incoming one is found through its pid's entry. A newborn
 * task is the youngest child, or thread, of current. Where an entry knows no task, the next switch-out or pass tells.
 */
#ifndef RSTAT_PROBE_PORTABLE_H
#define RSTAT_PROBE_PORTABLE_H

#include "probe/running.h"

struct entry {
	struct tenancy tenancy;
	uint64_t task;		/* 0: not known (PATH_PERF) */
};

enum {
	SAYS_EXISTS = -17,	/* -EEXIST */
	STATE_UNHELD = 0x4000,	/* in slot.state, besides the kernel's: no entry held it when it was to be taken back */
	PREEMPTED = 0x100,	/* TASK_REPORT_MAX, include/linux/sched.h: in a record's prev_state since 4.14 */
};

MAP(pids_map, BPF_MAP_TYPE_HASH, 4, sizeof(struct entry), 0, 0);
MAP(fresh_map, BPF_MAP_TYPE_QUEUE, 0, 4, 0, 0);

/* ---- where PATH_PERF has a record and PATH_RAW has arguments */

INLINE uint32_t field(const void *record, uint16_t at)
{
	uint32_t value = 0;

	probe_read_kernel(&value, sizeof value, (const uint8_t *)record + at);
	return value;
}

/* Of a list that a new task was added to, the last: its task, if it has that pid. */
INLINE struct task_struct *last_of(struct list_head *last, uint32_t link_offset, uint32_t pid)
{
	struct task_struct *task = (void *)((uint64_t)last - link_offset);

	return last && PROBE_READ(task, pid) == (int)pid ? task : 0;
}

INLINE struct task_struct *newborn(uint32_t pid)
{
	struct task_struct *parent = (void *)current_task(), *task;
	struct signal_struct *signal = PROBE_READ(parent, signal);

	task = last_of(PROBE_READ(parent, children.prev), FIELD_OFFSET(VIEW(struct task_struct)->sibling), pid);
	if (task)
		return task;
	return last_of(PROBE_READ(signal, thread_head.prev), FIELD_OFFSET(VIEW(struct task_struct)->thread_node), pid);
}

/* By which a task without a slot is measured, from switch-in to switch-out. */
INLINE uint64_t time_of(struct task_struct *task)
{
	return config.path == PATH_PERF ? clock_ns() : PROBE_READ(task, se.sum_exec_runtime);
}

/* ---- entries */

INLINE struct entry *entry_of(uint32_t pid)
{
	return map_lookup(&pids_map, &pid);
}

/*
 * Key and value are written right before the call: 7.2 takes what lies on the stack before a branch, to be read by this
 * call only, for dead.
 */
INLINE int insert_entry(uint32_t pid, uint64_t key, const struct use *base, uint64_t task)
{
	struct entry entry;
	uint64_t number;

	COMPILER_BARRIER();
	number = pid;
	entry = (struct entry){ .tenancy = { .key = key, .base = *base }, .task = task };
	return map_update(&pids_map, &number, &entry, BPF_NOEXIST);
}

INLINE int delete_entry(uint32_t pid)
{
	return map_delete(&pids_map, &pid);
}

INLINE void write_record(struct slot *slot, struct task_struct *task, uint32_t state)
{
	slot->pid = PROBE_READ(task, pid);
	slot->tgid = PROBE_READ(task, tgid);
	probe_read_kernel(slot->name, sizeof slot->name, task->comm);
	slot->state = state;
	slot->stamp = jiffies64();
}

/* A number that is ours alone gets a new task; odd while it changes. */
INLINE void begin_slot(struct slot *slot, uint32_t number, struct task_struct *task, uint32_t pid)
{
	add32(&slot->generation, 1);
	slot->flags = PROBE_READ(task, flags) & PF_KTHREAD ? SLOT_KERNEL : 0;
	slot->used = (struct use){ 0 };
	slot->rss_pages = 0;
	write_record(slot, task, probe_state(task));
	if (!task)
		slot->pid = slot->tgid = pid;	/* until its first switch-out */
	add32(&slot->generation, 1);
	mark(slot, number);
}

INLINE int take_fresh(struct counters *c, struct epoch *e, uint32_t *number)
{
	if (!pop_old(e, number))
		return 0;
	if (map_pop(&fresh_map, number))
		return -1;
	add(&c->high, 1);	/* they come in order, and only once */
	return 0;
}

/* A task that stays without a slot; remembered where there is room, so that it is counted once. */
INLINE void drop(struct counters *c, uint32_t pid, const struct use *base, uint64_t task)
{
	int error = insert_entry(pid, KEY_DROPPED, base, task);

	if (error == SAYS_EXISTS)
		return;
	add(&c->dropped, 1);
	if (error)
		add(&c->regained, 1);
}

/* An entry with a slot for a pid that has none. 0, or -1: another was faster, or there is no number or no room. */
INLINE int make_entry(struct task_struct *task, uint32_t pid)
{
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	struct use base = { 0 };
	uint32_t number = 0;
	struct slot *slot;
	int error;

	if (!c || !e)
		return -1;
	if (task)
		base = probe_use(task);
	if (take_fresh(c, e, &number)) {
		drop(c, pid, &base, (uint64_t)task);
		return -1;
	}
	slot = map_lookup(&slots_map, &number);
	if (!slot)
		return -1;
	error = insert_entry(pid, make_key(number, slot->generation + 2), &base, (uint64_t)task);
	if (error) {
		push_to(ONCE(e->now) + 1, &number);	/* not used: free at once */
		if (error != SAYS_EXISTS) {
			add(&c->dropped, 1);
			add(&c->regained, 1);
		}
		return -1;
	}
	begin_slot(slot, number, task, pid);
	add(&c->allocated, 1);
	return 0;
}

/* As free_number(); a full barrier on x86. */
INLINE void free_portable(struct slot *slot, uint32_t number, struct counters *c, struct epoch *e)
{
	set_mark(slot, number, e);
	add(&c->freed, 0);
	push_to(ONCE(e->now), &number);
}

/*
 * The end of an entry whose task will not run again: final values, then dead, then the epoch is read, with full barriers
 * between on x86. label: the pid that the task has now, which user space shall see.
 */
INLINE void end_entry(uint32_t pid, const struct entry *at, uint32_t label)
{
	struct entry entry = *at;	/* the memory is another's once it is deleted */
	struct task_struct *task = (void *)entry.task;
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	/* where the end of a task was not seen its memory may be another's by now */
	uint64_t cpu_ns = PROBE_READ(task, pid) == (int)label ? PROBE_READ(task, se.sum_exec_runtime) : 0;
	uint32_t number = key_slot(entry.tenancy.key) - 1;
	struct slot *slot;

	if (!c || !e || delete_entry(pid))
		return;
	if (entry.tenancy.key == KEY_DROPPED)
		add(&c->regained, 1);
	slot = slot_of(entry.tenancy.key);
	if (!slot)
		return;
	slot->pid = label;
	if (cpu_ns >= entry.tenancy.base.cpu_ns + slot->used.cpu_ns)	/* else it is not read, or not its own any more */
		slot->used.cpu_ns = cpu_ns - entry.tenancy.base.cpu_ns;
	add(&c->freed, 1);
	slot->flags |= SLOT_DEAD;
	free_portable(slot, number, c, e);
}

/* Whose the entry is: false where it is of a task that had the pid before. Gives it its task where it knows none. */
INLINE int is_own(struct entry *entry, struct task_struct *task, uint32_t pid)
{
	if (task && !entry->task)
		entry->task = (uint64_t)task;
	if (task)
		return entry->task == (uint64_t)task;
	return !entry->task || PROBE_READ((struct task_struct *)entry->task, pid) == (int)pid;
}

INLINE int has_room(void)
{
	struct counters *c = the_counters();

	return c && ONCE(c->allocated) - ONCE(c->freed) < config.capacity;
}

/* Takes an entry without a slot away, so that another can be made: true for one of those who try. */
INLINE int forget(uint32_t pid, const struct entry *entry)
{
	struct counters *c = the_counters();
	int dropped = entry->tenancy.key == KEY_DROPPED;

	if (delete_entry(pid))
		return 0;
	if (dropped && c)
		add(&c->regained, 1);
	return 1;
}

/* The entry of a task at birth and in the passes, made where it has none. */
INLINE struct entry *settle_entry(struct task_struct *task, uint32_t pid)
{
	struct entry *entry = entry_of(pid);

	if (entry && !is_own(entry, task, pid)) {
		end_entry(pid, entry, pid);
	} else if (entry) {
		if (key_slot(entry->tenancy.key) || !has_room())
			return entry;
		if (!forget(pid, entry))
			return 0;
	}
	make_entry(task, pid);
	return entry_of(pid);
}

/* ---- the switch */

INLINE void step(struct on_cpu *cpu)
{
	COMPILER_BARRIER();
	ONCE(cpu->sequence) = cpu->sequence + 1;
	COMPILER_BARRIER();
}

/*
 * What began without a slot is other time to its end, also where the task has got one meanwhile; that then counts from
 * here, and so does one that it gets now.
 */
INLINE void end_other(struct on_cpu *cpu, struct task_struct *prev, uint32_t pid, int preempted)
{
	struct entry *entry = entry_of(pid);
	struct counters *c = the_counters();
	struct slot *slot;
	uint64_t key;

	cpu->other_ns += time_of(prev) - cpu->since_ns;
	if (!c || (entry && !is_own(entry, prev, pid)))
		return;
	if (has_room() && (!entry || !key_slot(entry->tenancy.key))) {
		if ((!entry || forget(pid, entry)) && !make_entry(prev, pid)) {
			add(&c->adopted, 1);
			return;
		}
		entry = entry_of(pid);	/* a pass was faster: it may count from before */
		if (entry && !is_own(entry, prev, pid))
			return;
	}
	if (!entry)
		return;
	entry->tenancy.base = probe_use(prev);
	key = entry->tenancy.key;
	slot = slot_of(key);
	if (!slot)
		return;
	write_record(slot, prev, preempted ? 0 : probe_state(prev));
	mark(slot, key_slot(key) - 1);
}

INLINE void end_running(struct on_cpu *cpu, struct task_struct *prev, uint32_t pid, int preempted)
{
	struct tenancy held = { 0 };
	struct entry *entry;
	struct slot *slot;
	struct use use;

	if ((cpu->task == (uint64_t)prev || cpu->task == task_by_pid(pid)) && !key_slot(cpu->now.key)) {
		end_other(cpu, prev, pid, preempted);
		return;
	}
	if (cpu->task == (uint64_t)prev) {
		held = cpu->now;
	} else {	/* the first switch of this CPU since we attached, or a task that its entry did not know */
		entry = entry_of(pid);
		if (entry && is_own(entry, prev, pid))
			held = entry->tenancy;
	}
	slot = slot_of(held.key);
	if (!slot)
		return;
	use = probe_use(prev);
	slot->used = use_since(&use, &held.base);
	write_record(slot, prev, preempted ? 0 : probe_state(prev));
	slot->rss_pages = probe_rss(prev);
	mark(slot, key_slot(held.key) - 1);
}

/* next: 0 on PATH_PERF */
INLINE void begin_running(struct on_cpu *cpu, struct task_struct *next, uint32_t pid)
{
	struct entry *entry;

	ONCE(cpu->task) = next ? (uint64_t)next : task_by_pid(pid);
	ONCE(cpu->now.key) = NO_SLOT;
	if (!pid)
		return;
	entry = entry_of(pid);
	if (entry && !is_own(entry, next, pid))
		entry = 0;
	if (!next && entry && entry->task)
		ONCE(cpu->task) = entry->task;
	if (entry && key_slot(entry->tenancy.key)) {
		cpu->now.base = entry->tenancy.base;
		ONCE(cpu->now.key) = entry->tenancy.key;
	} else {
		ONCE(cpu->since_ns) = time_of(next);
	}
}

/* ---- the programs */

SEC("portable/sched/sched_switch")
int on_portable_switch(uint64_t *arguments)
{
	uint32_t number = this_cpu(), prev_pid, next_pid;
	struct on_cpu *cpu = map_lookup(&on_cpu_map, &number);
	struct task_struct *prev, *next = 0;
	int preempted;

	if (!cpu)
		return 0;
	if (config.path == PATH_PERF) {
		prev = (void *)current_task();
		next_pid = field(arguments, config.at.switch_next_pid);
		preempted = field(arguments, config.at.switch_prev_state) & PREEMPTED;
	} else {
		if (config.prev_argument == 2) {
			prev = ARGUMENT(arguments, 2);
			next = ARGUMENT(arguments, 3);
		} else {
			prev = ARGUMENT(arguments, 1);
			next = ARGUMENT(arguments, 2);
		}
		next_pid = PROBE_READ(next, pid);
		preempted = arguments[0] & 1;
	}
	prev_pid = PROBE_READ(prev, pid);
	step(cpu);
	if (cpu->task != (uint64_t)prev)
		end_unseen(cpu);
	if (prev_pid)
		end_running(cpu, prev, prev_pid, preempted);
	begin_running(cpu, next, next_pid);
	step(cpu);
	return 0;
}

SEC("portable/task/task_newtask")
int on_portable_birth(uint64_t *arguments)
{
	struct task_struct *task;
	uint32_t pid;

	if (config.path == PATH_PERF) {
		pid = field(arguments, config.at.birth_pid);
		task = newborn(pid);
	} else {
		task = (void *)arguments[0];
		pid = PROBE_READ(task, pid);
	}
	if (pid)
		settle_entry(task, pid);
	return 0;
}

SEC("portable/sched/sched_process_free")
int on_portable_free(uint64_t *arguments)
{
	struct task_struct *task = 0;
	struct entry *entry;
	uint32_t pid;

	if (config.path == PATH_PERF) {
		pid = field(arguments, config.at.free_pid);
	} else {
		task = (void *)arguments[0];
		pid = PROBE_READ(task, pid);
	}
	entry = entry_of(pid);
	if (entry && is_own(entry, task, pid))
		end_entry(pid, entry, pid);
	return 0;
}

/* A thread other than the first has its leader's pid now, and the leader, which is gone, had the thread's. */
SEC("portable/sched/sched_process_exec")
int on_portable_exec(uint64_t *arguments)
{
	struct task_struct *task = (void *)current_task();
	uint32_t pid = PROBE_READ(task, pid), old_pid;
	struct entry *entry, moved = { 0 };
	int known = 0;

	old_pid = config.path == PATH_PERF ? field(arguments, config.at.exec_old_pid) : (uint32_t)arguments[1];
	if (old_pid == pid)
		return 0;
	entry = entry_of(old_pid);
	if (entry && entry->task == (uint64_t)task) {
		moved = *entry;
		known = !delete_entry(old_pid);
	}
	entry = entry_of(pid);
	if (entry && (known || entry->task != (uint64_t)task))
		end_entry(pid, entry, old_pid);
	if (known)
		insert_entry(pid, moved.tenancy.key, &moved.tenancy.base, moved.task);
	else if (!entry_of(pid))
		make_entry(task, pid);
	return 0;
}

SEC("portable_iter/task")
int on_portable_seed(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	struct entry *entry;
	struct slot *slot;
	uint32_t pid;

	if (!task || !c || !e)
		return 0;
	pid = task->pid;
	entry = settle_entry(task, pid);
	/* kthreadd: only in the first pid namespace does a pass meet it, and everything else */
	if (pid == 2 && task->flags & PF_KTHREAD)
		add(&c->passes, 1);
	slot = entry ? slot_of(entry->tenancy.key) : 0;
	if (!slot) {
		add(&c->met_without, entry && entry->tenancy.key == KEY_DROPPED);
		return 0;
	}
	if (probe_state(task) & STATE_DEAD)	/* has made its last switch, maybe without a slot */
		slot->state = STATE_DEAD;
	slot->rss_pages = probe_rss(task);
	probe_read_kernel(slot->name, sizeof slot->name, task->comm);
	slot->stamp = jiffies64();
	if (task->on_cpu && ONCE(e->now))
		note_running(task, probe_cpu(task), &entry->tenancy, 1);
	return 0;
}

SEC("portable_run/sample")
int on_portable_sample(uint64_t *arguments)
{
	sample_some(arguments[0], 1);
	return 0;
}

/*
 * Whether the entry's task, which no pass has met, still lives. The memory of one that is gone has another task, of another
 * pid, or it as it was at the end; or parts of both for a while, then its slot waits. Where the entry knows no task, no switch
 * from it was seen: it is taken for gone.
 */
INLINE int is_alive(const struct entry *entry, uint32_t pid)
{
	struct task_struct *task = (void *)entry->task;

	return task && PROBE_READ(task, pid) == (int)pid && !(probe_state(task) & STATE_DEAD);
}

/*
 * As on_reclaim(), but also where the last switch was not seen: the kernel skips programs on perf events while it is in a map
 * operation of user space on that CPU, which may be preempted there. Who takes the entry ends the slot. One that no entry
 * holds, since another task took its pid, is nobody's, or somebody is about to end it: so it is taken back the second time, a
 * pass or two later. Only one thread of user space runs this.
 */
SEC("portable_run/reclaim")
int on_portable_reclaim(uint64_t *arguments)
{
	uint64_t key = arguments[0];
	uint32_t number = key_slot(key) - 1, pid;
	struct slot *slot = slot_of(key);
	struct counters *c = the_counters();
	struct epoch *e = the_epoch();
	struct entry *entry;

	if (!slot || !c || !e || slot->stamp != (uint32_t)arguments[1] || slot->flags & SLOT_DEAD)
		return 0;
	pid = slot->pid;
	entry = entry_of(pid);
	if (entry && entry->tenancy.key == key) {
		if (!(slot->state & STATE_DEAD) && is_alive(entry, pid)) {
			slot->rss_pages = probe_rss((void *)entry->task);
			slot->stamp = jiffies64();
			return 0;
		}
		if (delete_entry(pid))
			return 0;
	} else if (!(slot->state & STATE_UNHELD)) {
		slot->state |= STATE_UNHELD;
		slot->stamp = jiffies64();
		return 0;
	}
	add32(&slot->generation, 1);
	slot->used = (struct use){ 0 };
	slot->flags |= SLOT_DEAD;
	add32(&slot->generation, 1);
	add(&c->freed, 1);
	add(&c->lost, 1);
	free_portable(slot, number, c, e);
	return 0;
}

/* Run by BPF_PROG_TEST_RUN with the first number of FILL_STEP. */
SEC("portable_run/fill")
int on_portable_fill(uint64_t *arguments)
{
	uint32_t first = arguments[0];

	for (uint32_t i = 0; i < FILL_STEP; i++) {
		uint32_t number = first + i;

		if (number >= config.capacity)
			break;
		map_push(&fresh_map, &number, 0);
	}
	return 0;
}

#endif
