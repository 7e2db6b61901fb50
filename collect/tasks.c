/* SPDX-License-Identifier: MIT */
/*
 * One scan, in outline:
 *
 * 1. Each slot that is marked as written since the scan before is read once, between two readings of its generation. What
 *    it has beyond that scan is added to its process; a slot of a new generation counts from zero. At the start and after
 *    each pass all slots are read, and those noted that may have lost their task.
 * 2. A dead slot is counted once. A leader's end is the end of its process and goes to the group of its name; a
 *    thread's belongs to its process while that lives.
 * 3. What runs right now is laid over: counters newer than any record, of tasks that may never switch.
 * 4. The processes that changed are passed once: the ended ones leave, the others compete for the lists by CPU and IO.
 *    That by memory is made of those kept as large.
 *
 * Processes, what was seen of slots, and how many tasks are in which state persist: so a scan costs what has run, not what
 * exists, but for a byte per slot.
 */
#include "collect/tasks.h"

#include "collect/marks.h"
#include "collect/shrink.h"
#include "collect/top.h"
#include "loader/memory.h"

static const uint64_t zombie_after_ns = 100000000;

size_t tasks_memory(uint32_t capacity, uint32_t cpus)
{
	return capacity * (sizeof(struct tasks_seen) + 2 * sizeof(struct tasks_process) + 6 * sizeof(uint32_t)) +
	       cpus * sizeof(uint64_t);
}

void tasks_open(struct tasks *tasks, void *memory, uint32_t capacity, uint32_t cpus)
{
	tasks->capacity = capacity;
	tasks->cpus = cpus;
	tasks->seen = memory;
	tasks->process = (void *)(tasks->seen + capacity);
	tasks->other_ns = (void *)(tasks->process + 2 * (size_t)capacity);
	tasks->changed = (void *)(tasks->other_ns + cpus);
	tasks->watched = tasks->changed + 2 * (size_t)capacity;
	tasks->blocked = tasks->watched + 2 * (size_t)capacity;
	tasks->generation = tasks->blocked + capacity;
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

static void note_changed(struct tasks *tasks, struct tasks_process *process)
{
	if (!process->changed)
		tasks->changed[tasks->changed_count++] = (uint32_t)(process - tasks->process);
	process->changed = 1;
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
	if (index) {
		tasks->free = tasks->process[index - 1].next;
	} else {
		while (tasks->search < 2 * tasks->capacity && tasks->process[tasks->search].tgid)
			tasks->search++;
		if (tasks->search == 2 * tasks->capacity)
			return NULL;
		index = ++tasks->search;
		if (tasks->high < index)
			tasks->high = index;
	}
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
	note_changed(tasks, process);
}

static struct tasks_process *process_of(struct tasks *tasks, const struct tasks_seen *seen)
{
	return seen->process ? &tasks->process[seen->process - 1] : NULL;
}

static void leave_process(struct tasks *tasks, struct tasks_seen *seen)
{
	struct tasks_process *process = process_of(tasks, seen);

	if (process) {
		process->threads--;
		note_changed(tasks, process);
	}
	seen->process = 0;
}

static void count_state(struct tasks *tasks, struct tasks_seen *seen, bool alive, bool running)
{
	tasks->alive += alive - seen->alive;
	tasks->running += running - seen->running;
	seen->alive = alive;
	seen->running = running;
}

/* The slot holds another task than before: its old one's end was missed, its counters begin anew. */
static void begin_generation(struct tasks *tasks, struct tasks_seen *seen, const struct slot *slot)
{
	leave_process(tasks, seen);
	count_state(tasks, seen, 0, 0);
	*seen = (struct tasks_seen){ .listed = seen->listed };
	if (!tasks->scans)
		seen->used = slot->used;
}

static void end_slot(struct tasks *tasks, struct tasks_seen *seen, const struct slot *slot)
{
	struct use use = advance_seen(seen, &slot->used);
	struct tasks_process *process = process_of(tasks, seen);

	leave_process(tasks, seen);
	count_state(tasks, seen, 0, 0);
	seen->blocked = 0;
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
		leave_process(tasks, seen);
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

/* The slots that were blocked when they were read, but for those that run again. */
static void list_blocked(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
			 struct sample *sample)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < tasks->blocked_count; i++) {
		uint32_t number = tasks->blocked[i];
		struct tasks_seen *seen = &tasks->seen[number];
		struct slot slot;

		seen->listed = seen->blocked;
		if (!seen->blocked)
			continue;
		tasks->blocked[kept++] = number;
		if (number < view->readable && read_slot(&view->slots[number], &slot) &&
		    !(options->no_kernel && slot.flags & SLOT_KERNEL) && !is_running(view, number))
			note_blocked(sample, slot.pid, slot.name, 'D');
	}
	tasks->blocked_count = kept;
}

static void note_stale(struct tasks *tasks, uint32_t number, const struct slot *slot)
{
	if (tasks->stale_count < TASKS_STALE_MAX)
		tasks->stale[tasks->stale_count++] =
			(struct tasks_stale){ number, slot->generation, slot->stamp };
}

static void scan_slot(struct tasks *tasks, const struct tasks_view *view, uint32_t number)
{
	struct tasks_seen *seen = &tasks->seen[number];
	struct slot slot;

	if ((view->probe && !probe_hold(view->probe, number)) || !read_slot(&view->slots[number], &slot))
		return;
	if (tasks->generation[number] != slot.generation)
		begin_generation(tasks, seen, &slot);
	else if (slot.flags & SLOT_DEAD && !seen->alive)
		return;		/* counted before */
	tasks->generation[number] = slot.generation;
	if (slot.flags & SLOT_DEAD) {
		end_slot(tasks, seen, &slot);
		return;
	}
	count_state(tasks, seen, true, !slot.state);
	seen->blocked = is_blocked(&slot);
	if (seen->blocked && !seen->listed) {
		seen->listed = 1;
		tasks->blocked[tasks->blocked_count++] = number;
	}
	update_slot(tasks, seen, &slot);
	if (view->passes && probe_is_stale(view->passes, slot.stamp, slot.state))
		note_stale(tasks, number, &slot);
}

/* The first of eight slots, from that one on, of which one is marked; or the end. */
static uint32_t find_marked(const struct tasks_view *view, uint32_t at, uint32_t end)
{
	uint8_t epoch = view->epoch;

	for (const uint8_t *marks = view->marks; at < end && !marks_are_recent(marks_of(marks, at), epoch);)
		at += MARKS_AT_ONCE;
	return at;
}

/*
 * Whether it is marked; unless it lies in a piece that was given back, so that nobody lives there, and the mark is of the last
 * one who did: as epochs come round it would be mapped for nothing. Where all are read it is, since a task may have come
 * and gone whose marks came too late.
 */
static bool is_marked(const struct tasks *tasks, const struct tasks_view *view, uint32_t number, bool all)
{
	uint8_t mark = mark_of(view->marks, number);

	if (!mark_is_recent(mark, view->epoch))
		return false;
	return all || !view->probe || probe_holds(view->probe, number) ||
	       mark_is_of_next(mark, tasks->generation[number]);
}

static void scan_slots(struct tasks *tasks, const struct tasks_view *view)
{
	bool whole = view->whole || !view->marks || !tasks->scans, all = view->all || whole;

	if (all || tasks->concluded)
		tasks->stale_count = 0;
	tasks->concluded = false;
	tasks->all |= all;
	for (uint32_t at = 0, next; at < tasks->readable; at = next) {
		bool each = whole || (all && (!view->probe || probe_holds(view->probe, at)));

		next = at + MARKS_AT_ONCE;
		if (!each) {
			at = find_marked(view, at, all ? next : tasks->readable);
			if (all && at == next)
				continue;
			next = at + MARKS_AT_ONCE;
		}
		for (uint32_t i = at; i < next && i < tasks->readable; i++)
			if (each || is_marked(tasks, view, i, all))
				scan_slot(tasks, view, i);
	}
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/* ---- what runs right now */

static void overlay_one(struct tasks *tasks, const struct tasks_view *view, const struct running *now,
			struct sample *sample)
{
	struct tasks_seen *seen = &tasks->seen[now->slot - 1];
	struct tasks_process *process = process_of(tasks, seen);
	struct use use;

	sample->tasks_running += !seen->running;
	if (!process || tasks->generation[now->slot - 1] != now->generation || process->tgid != now->tgid)
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

/* Of which nothing is left but a leader that has ended. */
static bool is_dead(const struct tasks_process *process)
{
	return process->tgid && process->leader_dead && process->threads == 1;
}

static void pass_watched(struct tasks *tasks, const struct tasks_options *options, uint64_t now_ns,
			 struct sample *sample)
{
	uint32_t kept = 0;

	tasks->zombie_since_ns = 0;
	for (uint32_t i = 0; i < tasks->watched_count; i++) {
		struct tasks_process *process = &tasks->process[tasks->watched[i]];

		process->watched = is_dead(process);
		if (!process->watched) {
			process->dead_since_ns = 0;
			continue;
		}
		tasks->watched[kept++] = tasks->watched[i];
		note_zombie(tasks, process, options, now_ns, sample);
	}
	tasks->watched_count = kept;
}

static void pass_changed(struct tasks *tasks, const struct tasks_options *options, struct top *top)
{
	for (uint32_t i = 0; i < tasks->changed_count; i++) {
		uint32_t index = tasks->changed[i];
		struct tasks_process *process = &tasks->process[index];

		if (!process->threads) {
			/* its leader is counted among the ended; these are its other threads */
			if (process->used.cpu_ns | process->used.read_bytes | process->used.write_bytes)
				ended_add(&tasks->ended, process->name, process->kernel, 0, &process->used);
			remove_process(tasks, process);
			continue;
		}
		if (is_dead(process) && !process->watched) {
			process->watched = 1;
			tasks->watched[tasks->watched_count++] = index;
		}
		large_note(&tasks->large, tasks->process, index);
		if (!(process->kernel && options->no_kernel))
			top_add_use(top, process);
	}
	for (uint32_t i = 0; i < tasks->ended.groups; i++)
		if (tasks->ended.group[i].user || !options->no_kernel)
			top_add_ended(top, &tasks->ended.group[i]);
}

static void end_interval(struct tasks *tasks)
{
	for (uint32_t i = 0; i < tasks->changed_count; i++) {
		struct tasks_process *process = &tasks->process[tasks->changed[i]];

		process->used = (struct use){ 0 };
		process->changed = 0;
	}
	tasks->changed_count = 0;
	ended_clear(&tasks->ended);
	tasks->total = (struct use){ 0 };
	tasks->other_total_ns = 0;
	tasks->scans++;
	tasks->concluded = true;
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
	tasks->readable = view->readable < tasks->capacity ? view->readable : tasks->capacity;
	sample->blocked_count = sample->blocked_listed = 0;
	scan_slots(tasks, view);
	list_blocked(tasks, view, options, sample);
	sample->tasks_total = tasks->alive;
	sample->tasks_running = tasks->running;
	overlay(tasks, view, tasks->readable, sample);
}

void tasks_conclude(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		    uint64_t now_ns, struct sample *sample)
{
	struct top top;

	tasks->total.cpu_ns += tasks->other_total_ns;
	top_begin(&top, options, sample);
	pass_changed(tasks, options, &top);
	pass_watched(tasks, options, now_ns, sample);
	large_offer(&tasks->large, tasks->process, tasks->high, &top);
	top_fill(&top, sample);
	if (sample->known & KNOWS_RATES) {
		sample->cpu_ppm = rate_of_cpus(tasks->total.cpu_ns, sample);
		sample->other_cpu_ppm = rate_of_cpus(tasks->other_total_ns, sample);
		sample->read_bytes_per_second = rate_of_bytes(tasks->total.read_bytes, sample);
		sample->write_bytes_per_second = rate_of_bytes(tasks->total.write_bytes, sample);
	}
	fill_counters(tasks, view, sample);
	end_interval(tasks);
	if (tasks->all && view->probe)
		tasks_shrink(tasks, view);
	tasks->all = false;
}
