/* SPDX-License-Identifier: MIT */
/*
 * The slot scanner over memory that may hold anything, and that changes while it is read: a change comes before each atomic
 * load and each copy out of it (loads.h), the moments at which the compiled code can see one, as well as between scans.
 * Copies that are made without a call, of a record of `running` and of single fields of counters, see changes in between
 * only. Then the collector's own tables are checked whole.
 */
#include "test/fuzz/fuzz.h"

#include "collect/tasks.h"
#include "test/fuzz/fake.h"

enum { CAPACITY_MAX = 24, CPUS_MAX = 4, SCANS_MAX = 12, CHANGES_MAX = 400 };

static struct slot *slots;
static struct running *running;
static struct counters *counters;
static uint8_t *marks;
static uint32_t capacity, cpus;
static struct feed changes;
static unsigned changed;
extern void (*fuzz_before_load)(void);

/* Small numbers meet more often: pids, states and generations are the same ones again and again. */
static void change_slot(struct feed *feed, struct slot *slot)
{
	static const uint16_t states[] = { 0, 1, 2, 0x80, 0x82, 0x402, 0xffff };
	uint8_t what = feed_byte(feed);

	switch (what % 12) {
	case 0: slot->pid = feed_byte(feed) % 8; break;
	case 1: slot->tgid = feed_byte(feed) % 8; break;
	case 2: slot->generation = (uint32_t)feed_upto(feed, UINT32_MAX); break;
	case 3: slot->used.cpu_ns = feed_number(feed); break;
	case 4: slot->used.read_bytes = feed_number(feed); break;
	case 5: slot->used.write_bytes = feed_number(feed); break;
	case 6: slot->flags = feed_byte(feed); break;
	case 7: slot->state = states[feed_byte(feed) % COUNT_OF(states)]; break;
	case 8: slot->stamp = (uint32_t)feed_upto(feed, UINT32_MAX); break;
	case 9: slot->rss_pages = (uint32_t)feed_upto(feed, UINT32_MAX); break;
	case 10: feed_bytes(feed, slot->name, sizeof slot->name); break;
	default: feed_bytes(feed, slot, sizeof *slot); break;
	}
}

/* What runs is mostly what a slot holds. */
static void change_running(struct feed *feed, struct running *now)
{
	const struct slot *slot;

	if (feed_byte(feed) >= 0xf0) {
		feed_bytes(feed, now, sizeof *now);
		return;
	}
	now->slot = feed_byte(feed) % (CAPACITY_MAX + 2);
	slot = &slots[now->slot % capacity];
	now->generation = slot->generation;
	now->pid = slot->pid;
	now->tgid = slot->tgid;
	now->rss_pages = (uint32_t)feed_upto(feed, UINT32_MAX);
	now->used.cpu_ns = feed_number(feed);
	now->other_ns = feed_number(feed);
}

static void change_one(struct feed *feed)
{
	uint8_t where = feed_byte(feed);

	if (where < 0xc0) {
		change_slot(feed, &slots[where % capacity]);
	} else if (where < 0xe0) {
		struct running *now = &running[where % cpus];

		change_running(feed, now);
	} else if (where >= 0xf0) {
		marks[where % capacity] = (uint8_t)(feed_byte(feed) % 8);
	} else {
		uint64_t *word = (uint64_t *)(void *)counters + where % (sizeof *counters / 8);

		*word = feed_number(feed);
	}
}

static void change_while_read(void)
{
	if (!changes.left || ++changed > CHANGES_MAX || feed_byte(&changes) < 0xa0)
		return;
	fuzz_before_load = NULL;
	change_one(&changes);
	fuzz_before_load = change_while_read;
}

/* ---- what the tables promise */

static void check_processes(const struct tasks *tasks)
{
	uint32_t threads[2 * CAPACITY_MAX] = { 0 }, met = 0, free_count = 0;

	MUST(tasks->high <= 2 * capacity);
	for (uint32_t i = 0; i < capacity; i++) {
		MUST(tasks->seen[i].process <= tasks->high);
		if (tasks->seen[i].process)
			threads[tasks->seen[i].process - 1]++;
	}
	for (uint32_t i = 0; i < TASKS_BUCKETS; i++) {
		for (uint32_t at = tasks->bucket[i]; at; at = tasks->process[at - 1].next) {
			MUST(at <= tasks->high && ++met <= tasks->high);
			MUST(tasks->process[at - 1].tgid % TASKS_BUCKETS == i && tasks->process[at - 1].tgid);
		}
	}
	for (uint32_t at = tasks->free; at; at = tasks->process[at - 1].next) {
		MUST(at <= tasks->high && ++free_count <= tasks->high);
		MUST(!tasks->process[at - 1].tgid);
	}
	MUST(met + free_count == tasks->high);
	for (uint32_t i = 0; i < tasks->high; i++) {
		if (tasks->process[i].tgid)
			MUST(tasks->process[i].threads == threads[i]);
		else
			MUST(!threads[i]);
	}
}

/* What is in a list says so, and is in it once. */
static void check_lists(const struct tasks *tasks, const struct sample *s)
{
	uint32_t alive = 0, running_count = 0, listed = 0, watched = 0, large = 0;

	for (uint32_t i = 0; i < capacity; i++) {
		alive += tasks->seen[i].alive;
		running_count += tasks->seen[i].running;
		listed += tasks->seen[i].listed;
	}
	MUST(alive == tasks->alive && running_count == tasks->running && alive == s->tasks_total);
	MUST(listed == tasks->blocked_count);
	for (uint32_t i = 0; i < tasks->blocked_count; i++)
		MUST(tasks->blocked[i] < capacity && tasks->seen[tasks->blocked[i]].listed);
	for (uint32_t i = 0; i < tasks->high; i++) {
		MUST(!tasks->process[i].changed);
		watched += tasks->process[i].tgid && tasks->process[i].watched;
		large += tasks->process[i].tgid && tasks->process[i].large;
	}
	MUST(!tasks->changed_count && watched == tasks->watched_count && large == tasks->large.members);
	for (uint32_t i = 0; i < tasks->watched_count; i++)
		MUST(tasks->watched[i] < tasks->high && tasks->process[tasks->watched[i]].watched);
	for (uint32_t i = 0; i < tasks->large.members; i++)
		MUST(tasks->large.member[i] < tasks->high && tasks->process[tasks->large.member[i]].large);
}

static void check_list(const struct top_list *list, uint32_t rows)
{
	MUST(list->count <= rows && list->count <= TOP_MAX);
	for (uint32_t i = 0; i < list->count; i++) {
		const struct top_entry *entry = &list->entry[i];

		MUST((entry->pid != 0) != (entry->ended != 0) && entry->cpu_ppm <= PPM);
		for (uint32_t j = 0; j < i; j++) {
			const struct top_entry *other = &list->entry[j];

			MUST(!entry->pid || other->pid != entry->pid);
			MUST(!entry->ended || !other->ended || memcmp(entry->name, other->name, TASK_NAME_SIZE));
		}
	}
}

static void check_sample(const struct sample *s, const struct tasks_options *options)
{
	MUST(s->blocked_listed <= BLOCKED_MAX && s->blocked_listed <= s->blocked_count);
	MUST(s->blocked_listed == BLOCKED_MAX || s->blocked_listed == s->blocked_count);
	MUST(s->tasks_total <= capacity && s->slots == capacity && (!(s->known & KNOWS_RATES) || s->cpu_ppm <= PPM));
	check_list(&s->top_cpu, options->top_rows);
	check_list(&s->top_memory, options->top_rows);
	check_list(&s->top_io, options->top_rows);
	for (uint32_t i = 1; i < s->top_cpu.count; i++)
		MUST(s->top_cpu.entry[i].cpu_ppm <= s->top_cpu.entry[i - 1].cpu_ppm);
	for (uint32_t i = 1; i < s->top_memory.count; i++)
		MUST(s->top_memory.entry[i].rss_bytes <= s->top_memory.entry[i - 1].rss_bytes);
	if (!(s->known & KNOWS_RATES))
		MUST(!s->top_cpu.count && !s->top_io.count);
}

static void scan(struct feed *feed, struct tasks *tasks, struct tasks_view *view, const struct tasks_options *options,
		 struct probe_passes *passes, struct sample *s, uint64_t *now_ns)
{
	unsigned readings = 1 + feed_byte(feed) % 3;

	passes->known = feed_bool(feed);
	passes->twice = passes->known && readings != 2;	/* no byte more, so that the corpus keeps its meaning */
	passes->last = (uint32_t)feed_upto(feed, UINT32_MAX);
	passes->before = passes->last - 256;
	view->readable = (uint32_t)feed_upto(feed, UINT32_MAX);	/* what it may be is for it to check */
	s->elapsed_ns = feed_upto(feed, 3600000000000);
	s->cpus = 1 + (uint32_t)feed_upto(feed, 4095);
	*now_ns += s->elapsed_ns;
	s->known = tasks->scans && s->elapsed_ns ? KNOWS_RATES : 0;
	view->epoch++;
	view->all = readings == 3;
	changes = *feed;	/* from the same bytes: what is left of the input */
	changed = 0;
	fuzz_before_load = change_while_read;
	while (readings--)
		tasks_read(tasks, view, options, s);
	tasks_conclude(tasks, view, options, *now_ns, s);
	fuzz_before_load = NULL;
	check_sample(s, options);
	check_processes(tasks);
	check_lists(tasks, s);
	/* once for each reading: what is there twice is refused the second time, as its stamp has changed */
	MUST(tasks->stale_count <= 3 * capacity);
	for (uint32_t i = 0; i < tasks->stale_count; i++)
		MUST(tasks->stale[i].number < capacity);
}

/* What ended, by name: as many names as there are groups, and more. */
static void check_ended(struct feed *feed)
{
	static struct ended ended;
	struct use use, total = { 0 }, sum = { 0 };
	uint32_t processes = 0, counted = 0;

	ended_clear(&ended);
	while (feed->left) {
		char name[TASK_NAME_SIZE] = { 0 };
		unsigned times = 1 + (unsigned)feed_upto(feed, 300);

		feed_bytes(feed, name, 1 + feed_byte(feed) % sizeof name);
		use = (struct use){ feed_upto(feed, 1 << 30), feed_upto(feed, 1 << 30), feed_upto(feed, 1 << 30) };
		for (unsigned i = 0; i < times && counted < 2000; i++, counted++) {
			ended_add(&ended, name, times & 1, 1, &use);
			use_add(&total, &use);
			processes++;
			name[0]++;
			name[1] = (char)(name[1] + !name[0]);
		}
		if (counted >= 2000)
			break;
	}
	MUST(ended.groups <= ENDED_GROUPS + 1);
	for (uint32_t i = 0; i < ended.groups; i++) {
		const struct ended_group *group = &ended.group[i];

		use_add(&sum, &group->used);
		processes -= group->processes;
		MUST(memchr(group->name, 0, sizeof group->name));
		for (uint32_t j = 0; j < i && i < ENDED_GROUPS; j++)
			MUST(memcmp(group->name, ended.group[j].name, TASK_NAME_SIZE));
	}
	/* nothing is lost */
	MUST(!processes && sum.cpu_ns == total.cpu_ns && sum.read_bytes == total.read_bytes && sum.write_bytes == total.write_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	struct tasks_options options = { .page_size = 4096 };
	struct probe_passes passes = { 0 };
	struct tasks_view view;
	struct tasks *tasks = calloc(1, sizeof *tasks);
	uint64_t now_ns = 1000000000000;
	struct sample s = { 0 };
	uint8_t bits = feed_byte(&feed);
	void *memory;

	if (bits >= 0xf8) {
		free(tasks);
		check_ended(&feed);
		return 0;
	}
	capacity = 1 + feed_byte(&feed) % CAPACITY_MAX;
	cpus = 1 + feed_byte(&feed) % CPUS_MAX;
	options.top_rows = feed_byte(&feed) % (TOP_MAX + 1);
	options.no_kernel = bits & 1;
	options.min_cpu_ppm = bits & 2 ? 10000 : 0;
	options.min_rss_bytes = bits & 4 ? 1 << 20 : 0;
	options.min_io_bytes_per_second = bits & 8 ? 1 << 20 : 0;
	slots = calloc(capacity, sizeof *slots);
	running = calloc(cpus, sizeof *running);
	counters = calloc(1, sizeof *counters);
	marks = calloc((capacity + 7) / 8, 8);
	memory = calloc(1, tasks_memory(capacity, cpus));
	MUST(tasks && slots && running && counters && marks && memory);
	tasks_open(tasks, memory, capacity, cpus);
	view = (struct tasks_view){
		.slots = slots, .marks = bits & 32 ? marks : NULL, .running = running, .cpus = cpus, .counters = counters, .passes = bits & 16 ? NULL : &passes,
	};
	for (unsigned scans = 0; scans < SCANS_MAX && feed.left; scans++) {
		for (unsigned i = feed_byte(&feed) % 32; i && feed.left; i--)
			change_one(&feed);
		scan(&feed, tasks, &view, &options, &passes, &s, &now_ns);
	}
	free(memory);
	free(counters);
	free(marks);
	free(running);
	free(slots);
	free(tasks);
	return 0;
}
