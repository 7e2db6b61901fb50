/* SPDX-License-Identifier: MIT */
/*
 * One scan, in outline:
 *
 * 1. Every slot is read once, between two readings of its generation. What it has beyond the scan before is
 *    added to its process; a slot of a new generation counts from zero. A slot that no record has touched since
 *    the scan before is passed over, and noted where it has lost its task.
 * 2. A dead slot is counted once. A leader's end is the end of its process and goes to the group of its name; a
 *    thread's belongs to its process while that lives.
 * 3. What runs right now is laid over: counters newer than any record, of tasks that may never switch.
 * 4. Every process is passed once: the ended ones leave, the others compete for the lists.
 *
 * Processes and what was seen of slots persist, so that 1 can become a walk over only the slots that changed.
 */
#include "collect/tasks.h"

#include "collect/top.h"
#include "loader/memory.h"

static const uint64_t zombie_after_ns = 100000000;

size_t tasks_memory(uint32_t capacity, uint32_t cpus)
{
	return capacity * (sizeof(struct tasks_seen) + 2 * sizeof(struct tasks_process)) +
	       cpus * sizeof(uint64_t);
}

void tasks_open(struct tasks *tasks, void *memory, uint32_t capacity, uint32_t cpus)
{
	tasks->capacity = capacity;
	tasks->cpus = cpus;
	tasks->seen = memory;
	tasks->process = (void *)(tasks->seen + capacity);
	tasks->other_ns = (void *)(tasks->process + 2 * (size_t)capacity);
}

/* ---- processes by tgid. The low bits spread well: the kernel gives pids out in turn. */

static uint32_t *bucket_of(struct tasks *tasks, uint32_t tgid)
{
	return &tasks->bucket[tgid % TASKS_BUCKETS];
}

static struct tasks_process *find_process(struct tasks *tasks, uint32_t tgid)
{
	for (uint32_t i = *bucket_of(tasks, tgid); i; i = tasks->process[i - 1].next)
		if (tasks->process[i - 1].tgid == tgid)
			return &tasks->process[i - 1];
	return NULL;
}

/*
 * The process of a tgid, made where it is new. NULL where all entries are taken, which slots cannot bring about:
 * each refers to one process before a scan, and brings at most one more in it.
 */
static struct tasks_process *get_process(struct tasks *tasks, const struct slot *slot)
{
	struct tasks_process *process = find_process(tasks, slot->tgid);
	uint32_t *bucket = bucket_of(tasks, slot->tgid), index = tasks->free;

	if (process || !slot->tgid)
		return process;
	if (index)
		tasks->free = tasks->process[index - 1].next;
	else if (tasks->high < 2 * (uint64_t)tasks->capacity)
		index = ++tasks->high;
	else
		return NULL;
	process = &tasks->process[index - 1];
	*process = (struct tasks_process){
		.tgid = slot->tgid,
		.next = *bucket,
		.kernel = (slot->flags & SLOT_KERNEL) != 0,
		.rss_stamp = slot->stamp,
	};
	memcpy(process->name, slot->name, TASK_NAME_SIZE);
	*bucket = index;
	return process;
}

static void remove_process(struct tasks *tasks, struct tasks_process *process)
{
	uint32_t index = (uint32_t)(process - tasks->process) + 1;
	uint32_t *link = bucket_of(tasks, process->tgid);

	while (*link && *link != index)
		link = &tasks->process[*link - 1].next;
	if (*link)
		*link = process->next;
	process->tgid = 0;
	process->next = tasks->free;
	tasks->free = index;
}

/* ---- slots */

/* A consistent copy; false while the slot changes hands (the next scan will see it). */
static bool read_slot(const struct slot *slot, struct slot *copy)
{
	uint32_t before = __atomic_load_n(&slot->generation, __ATOMIC_ACQUIRE);

	if (before & 1 || !before)
		return false;
	copy->flags = __atomic_load_n(&slot->flags, __ATOMIC_ACQUIRE);	/* dead: what follows is final */
	copy->state = __atomic_load_n(&slot->state, __ATOMIC_RELAXED);
	copy->pid = __atomic_load_n(&slot->pid, __ATOMIC_RELAXED);
	copy->tgid = __atomic_load_n(&slot->tgid, __ATOMIC_RELAXED);
	copy->used.cpu_ns = __atomic_load_n(&slot->used.cpu_ns, __ATOMIC_RELAXED);
	copy->used.read_bytes = __atomic_load_n(&slot->used.read_bytes, __ATOMIC_RELAXED);
	copy->used.write_bytes = __atomic_load_n(&slot->used.write_bytes, __ATOMIC_RELAXED);
	copy->rss_pages = __atomic_load_n(&slot->rss_pages, __ATOMIC_RELAXED);
	copy->stamp = __atomic_load_n(&slot->stamp, __ATOMIC_RELAXED);
	memcpy(copy->name, slot->name, TASK_NAME_SIZE);
	copy->generation = before;
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return __atomic_load_n(&slot->generation, __ATOMIC_RELAXED) == before;
}

/* How far a counter has come; counters never go back, so a smaller reading is an older one. */
static uint64_t advance(uint64_t *seen, uint64_t now)
{
	uint64_t by = now > *seen ? now - *seen : 0;

	*seen += by;
	return by;
}

static struct use advance_seen(struct tasks_seen *seen, const struct use *now)
{
	return (struct use){
		advance(&seen->used.cpu_ns, now->cpu_ns),
		advance(&seen->used.read_bytes, now->read_bytes),
		advance(&seen->used.write_bytes, now->write_bytes),
	};
}

static void add_use(struct tasks *tasks, struct tasks_process *process, const struct use *use)
{
	use_add(&process->used, use);
	use_add(&tasks->total, use);
}

static struct tasks_process *process_of(struct tasks *tasks, const struct tasks_seen *seen)
{
	return seen->process ? &tasks->process[seen->process - 1] : NULL;
}

/* The slot holds another task than before: its old one's end was missed, its counters begin anew. */
static void begin_generation(struct tasks *tasks, struct tasks_seen *seen, const struct slot *slot)
{
	struct tasks_process *old = process_of(tasks, seen);

	if (old)
		old->threads--;
	*seen = (struct tasks_seen){ .generation = slot->generation };
	if (!tasks->scans)
		seen->used = slot->used;
}

static void end_slot(struct tasks *tasks, struct tasks_seen *seen, const struct slot *slot)
{
	struct use use = advance_seen(seen, &slot->used);
	struct tasks_process *process = process_of(tasks, seen);

	if (process)
		process->threads--;
	seen->process = 0;
	if (slot->pid == slot->tgid) {
		ended_add(&tasks->ended, slot->name, slot->flags & SLOT_KERNEL, 1, &use);
		use_add(&tasks->total, &use);
		return;
	}
	if (!process)
		process = get_process(tasks, slot);
	if (process)
		add_use(tasks, process, &use);
}

static void take_rss(struct tasks_process *process, uint32_t rss_pages, uint32_t stamp)
{
	/* a thread that has given up its memory says nothing of the process, unless it is the only one */
	if ((int32_t)(stamp - process->rss_stamp) < 0 || (!rss_pages && process->threads != 1))
		return;
	process->rss_pages = rss_pages;
	process->rss_stamp = stamp;
}

static void update_slot(struct tasks *tasks, struct tasks_seen *seen, const struct slot *slot)
{
	struct use use = advance_seen(seen, &slot->used);
	struct tasks_process *process = process_of(tasks, seen);

	if (!process || process->tgid != slot->tgid) {
		if (process)
			process->threads--;
		process = get_process(tasks, slot);
		seen->process = process ? (uint32_t)(process - tasks->process) + 1 : 0;
		if (!process)
			return;
		process->threads++;
	}
	add_use(tasks, process, &use);
	take_rss(process, slot->rss_pages, slot->stamp);
	if (slot->pid == slot->tgid) {
		memcpy(process->name, slot->name, TASK_NAME_SIZE);
		process->leader_dead = (slot->state & STATE_DEAD) != 0;
	}
}

static bool is_running(const struct tasks_view *view, uint32_t slot)
{
	for (uint32_t i = 0; i < view->cpus; i++)
		if (view->running[i].slot == slot + 1)
			return true;
	return false;
}

static bool is_blocked(const struct slot *slot)
{
	return slot->state & STATE_UNINTERRUPTIBLE && !(slot->state & (STATE_NOLOAD | STATE_DEAD));
}

static void note_blocked(struct sample *sample, uint32_t pid, const char *name, char state)
{
	struct blocked_entry *entry = &sample->blocked[sample->blocked_listed];

	sample->blocked_count++;
	if (sample->blocked_listed == BLOCKED_MAX)
		return;
	*entry = (struct blocked_entry){ .pid = pid, .state = state };
	memcpy(entry->name, name, TASK_NAME_SIZE);
	sample->blocked_listed++;
}

static void note_stale(struct tasks *tasks, uint32_t number, const struct slot *slot)
{
	if (tasks->stale_count < TASKS_STALE_MAX)
		tasks->stale[tasks->stale_count++] =
			(struct tasks_stale){ number, slot->generation, slot->stamp };
}

static void scan_slot(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		      uint32_t number, struct sample *sample)
{
	struct tasks_seen *seen = &tasks->seen[number];
	struct slot slot;
	bool same;

	if (!read_slot(&view->slots[number], &slot))
		return;
	same = seen->generation == slot.generation;
	if (slot.flags & SLOT_DEAD) {
		if (same && !seen->process)
			return;		/* counted before */
		if (!same)
			begin_generation(tasks, seen, &slot);
		end_slot(tasks, seen, &slot);
		return;
	}
	sample->tasks_total++;
	sample->tasks_running += !slot.state;
	if (is_blocked(&slot) && !(options->no_kernel && slot.flags & SLOT_KERNEL) &&
	    !is_running(view, number))
		note_blocked(sample, slot.pid, slot.name, 'D');
	if (same && (int32_t)(slot.stamp - tasks->jiffies) < 0) {	/* no record since the scan before */
		if (view->passes && probe_is_stale(view->passes, slot.stamp, slot.state)) {
			update_slot(tasks, seen, &slot);	/* all it has, before it is gone: its stamp may have been late */
			note_stale(tasks, number, &slot);
		}
		return;
	}
	if (!same)
		begin_generation(tasks, seen, &slot);
	update_slot(tasks, seen, &slot);
}

/* ---- what runs right now */

static void overlay_one(struct tasks *tasks, const struct tasks_view *view, const struct running *now,
			struct sample *sample)
{
	struct tasks_seen *seen = &tasks->seen[now->slot - 1];
	struct tasks_process *process = process_of(tasks, seen);
	struct use use;

	sample->tasks_running += view->slots[now->slot - 1].state != 0;
	if (!process || seen->generation != now->generation || process->tgid != now->tgid)
		return;
	use = advance_seen(seen, &now->used);
	add_use(tasks, process, &use);
	take_rss(process, now->rss_pages, (uint32_t)view->counters->jiffies);
}

static void overlay(struct tasks *tasks, const struct tasks_view *view, uint32_t readable,
		    struct sample *sample)
{
	for (uint32_t i = 0; i < view->cpus && i < tasks->cpus; i++) {
		struct running now = view->running[i];

		tasks->other_total_ns += advance(&tasks->other_ns[i], now.other_ns);
		if (now.pid && now.slot && now.slot <= readable)
			overlay_one(tasks, view, &now, sample);
	}
}

/* ---- processes */

/* Dead for longer than it takes to be freed once its parent has seen it. */
static void note_zombie(struct tasks *tasks, struct tasks_process *process, const struct tasks_options *options,
			uint64_t now_ns, struct sample *sample)
{
	if (!process->leader_dead || process->threads != 1) {
		process->dead_since_ns = 0;
		return;
	}
	process->rss_pages = 0;
	if (!process->dead_since_ns)
		process->dead_since_ns = now_ns;
	if (now_ns - process->dead_since_ns < zombie_after_ns || process->dead_since_ns == now_ns ||
	    (process->kernel && options->no_kernel))
		return;
	if (tasks->zombie_since_ns < process->dead_since_ns)
		tasks->zombie_since_ns = process->dead_since_ns;
	note_blocked(sample, process->tgid, process->name, 'Z');
}

static void pass_processes(struct tasks *tasks, const struct tasks_options *options, struct top *top,
			   uint64_t now_ns, struct sample *sample)
{
	tasks->zombie_since_ns = 0;
	for (uint32_t i = 0; i < tasks->high; i++) {
		struct tasks_process *process = &tasks->process[i];

		if (!process->tgid)
			continue;
		if (!process->threads) {
			/* its leader is counted among the ended; these are its other threads */
			if (process->used.cpu_ns | process->used.read_bytes | process->used.write_bytes)
				ended_add(&tasks->ended, process->name, process->kernel, 0, &process->used);
			remove_process(tasks, process);
			continue;
		}
		note_zombie(tasks, process, options, now_ns, sample);
		if (!(process->kernel && options->no_kernel))
			top_add_process(top, process);
	}
	for (uint32_t i = 0; i < tasks->ended.groups; i++)
		if (tasks->ended.group[i].user || !options->no_kernel)
			top_add_ended(top, &tasks->ended.group[i]);
}

static void end_interval(struct tasks *tasks, const struct tasks_view *view)
{
	for (uint32_t i = 0; i < tasks->high; i++)
		tasks->process[i].used = (struct use){ 0 };
	ended_clear(&tasks->ended);
	tasks->total = (struct use){ 0 };
	tasks->other_total_ns = 0;
	tasks->jiffies = (uint32_t)view->counters->jiffies;
	tasks->scans++;
}

static uint64_t difference(uint64_t more, uint64_t less)
{
	return more > less ? more - less : 0;	/* they are not read at one moment */
}

static void fill_counters(const struct tasks *tasks, const struct tasks_view *view, struct sample *sample)
{
	const struct counters *counters = view->counters;

	sample->slots = tasks->capacity;
	sample->slots_used = difference(counters->allocated, counters->freed);
	sample->dropped = counters->dropped;
	sample->without_slot = probe_without(view->passes, counters);
	sample->lost = counters->lost;
}

void tasks_read(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		struct sample *sample)
{
	uint32_t readable = view->readable < tasks->capacity ? view->readable : tasks->capacity;

	sample->tasks_total = sample->tasks_running = 0;
	sample->blocked_count = sample->blocked_listed = 0;
	tasks->stale_count = 0;
	for (uint32_t i = 0; i < readable; i++)
		scan_slot(tasks, view, options, i, sample);
	overlay(tasks, view, readable, sample);
}

void tasks_conclude(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		    uint64_t now_ns, struct sample *sample)
{
	struct top top;

	tasks->total.cpu_ns += tasks->other_total_ns;
	top_begin(&top, options, sample);
	pass_processes(tasks, options, &top, now_ns, sample);
	top_fill(&top, sample);
	if (sample->known & KNOWS_RATES) {
		sample->cpu_ppm = rate_of_cpus(tasks->total.cpu_ns, sample);
		sample->other_cpu_ppm = rate_of_cpus(tasks->other_total_ns, sample);
		sample->read_bytes_per_second = rate_of_bytes(tasks->total.read_bytes, sample);
		sample->write_bytes_per_second = rate_of_bytes(tasks->total.write_bytes, sample);
	}
	fill_counters(tasks, view, sample);
	end_interval(tasks, view);
}
