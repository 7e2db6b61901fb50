/* SPDX-License-Identifier: MIT */
/* The scanner over plain memory: each test plays the kernel's part between scans. */
#define _GNU_SOURCE
#include "collect/tasks.h"
#include "collect/marks.h"
#include "collect/top.h"
#include "test/unit/unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SLOTS = 1024, PIECE = 256, PIECE_BYTES = PIECE * sizeof(struct slot), PAGE = 4096, CPUS = 2, MS = 1000000, SECOND = 1000 * MS };

static void scan_once(struct tasks *tasks, const struct tasks_view *view, const struct tasks_options *options,
		      uint64_t now_ns, struct sample *sample)
{
	tasks_read(tasks, view, options, sample);
	tasks_conclude(tasks, view, options, now_ns, sample);
}

static struct machine {
	struct slot slot[SLOTS];
	struct running running[CPUS];
	struct counters counters;
	struct probe_passes passes;
	struct tasks tasks;
	struct sample sample;
	struct tasks_options options;
	void *memory;
	uint64_t now_ns;
	/* a second collector, which reads only what is marked as written since the scan before, and holds pieces */
	struct probe probe;
	struct slot *written;		/* as they were then: what its pieces are mapped from */
	_Alignas(8) uint8_t mark[SLOTS];
	uint8_t epoch;
	bool all;			/* the next scan comes after a pass */
	struct tasks marked;
	void *marked_memory;
} m;

static void open_probe(void)
{
	const size_t size = SLOTS * sizeof(struct slot);

	m.probe.capacity = SLOTS;
	m.probe.piece = PIECE;
	m.probe.slots_map = memfd_create("slots", 0);
	assert_int_equal(ftruncate(m.probe.slots_map, (off_t)size), 0);
	m.written = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, m.probe.slots_map, 0);
	m.probe.slots = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(m.written, MAP_FAILED);
	assert_ptr_not_equal(m.probe.slots, MAP_FAILED);
}

/* Whoever reads what is not held dies, as with the probe's own memory. */
static void forbid_released(void)
{
	for (uint32_t i = 0; i < SLOTS; i += PIECE)
		if (!probe_holds(&m.probe, i))
			mmap((void *)&m.probe.slots[i], PIECE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static unsigned held_pieces(void)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < SLOTS; i += PIECE)
		count += probe_holds(&m.probe, i);
	return count;
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof m);
	m.memory = calloc(1, tasks_memory(SLOTS, CPUS));
	assert_non_null(m.memory);
	tasks_open(&m.tasks, m.memory, SLOTS, CPUS);
	m.marked_memory = aligned_alloc(PAGE, (tasks_memory(SLOTS, CPUS) + PAGE - 1) / PAGE * PAGE);
	assert_non_null(m.marked_memory);
	memset(m.marked_memory, 0, tasks_memory(SLOTS, CPUS));
	tasks_open(&m.marked, m.marked_memory, SLOTS, CPUS);
	open_probe();
	m.options = (struct tasks_options){ .top_rows = 20, .page_size = 4096 };
	m.counters.jiffies = 1000;
	m.now_ns = SECOND;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(m.memory);
	free(m.marked_memory);
	munmap(m.written, SLOTS * sizeof(struct slot));
	munmap((void *)m.probe.slots, SLOTS * sizeof(struct slot));
	close(m.probe.slots_map);
	return 0;
}

static uint64_t key_of(const struct top_list *list, uint32_t row, char by)
{
	const struct top_entry *e = &list->entry[row];

	return by == 'c' ? e->cpu_ppm : by == 'm' ? e->rss_bytes : e->read_bytes_per_second + e->write_bytes_per_second;
}

/* Of rows with the same key, any may come first; which depends on where their processes lie. */
static bool is_tied(const struct top_list *list, uint32_t row, char by)
{
	return (row && key_of(list, row - 1, by) == key_of(list, row, by)) ||
	       (row + 1 < list->count ? key_of(list, row + 1, by) == key_of(list, row, by) : list->count == m.options.top_rows);
}

static void assert_same_list(const struct top_list *a, const struct top_list *b, char by)
{
	assert_int_equal(a->count, b->count);
	for (uint32_t i = 0; i < a->count; i++) {
		const struct top_entry *x = &a->entry[i], *y = &b->entry[i];

		assert_int_equal(key_of(a, i, by), key_of(b, i, by));
		if (is_tied(b, i, by))
			continue;
		assert_int_equal(x->pid, y->pid);
		assert_int_equal(x->ended, y->ended);
		assert_int_equal(x->threads, y->threads);
		assert_int_equal(x->cpu_ppm, y->cpu_ppm);
		assert_int_equal(x->rss_bytes, y->rss_bytes);
		assert_int_equal(x->read_bytes_per_second, y->read_bytes_per_second);
		assert_int_equal(x->write_bytes_per_second, y->write_bytes_per_second);
		assert_memory_equal(x->name, y->name, TASK_NAME_SIZE);
	}
}

static void assert_same(const struct sample *a, const struct sample *b)
{
	assert_int_equal(a->tasks_total, b->tasks_total);
	assert_int_equal(a->tasks_running, b->tasks_running);
	assert_int_equal(a->cpu_ppm, b->cpu_ppm);
	assert_int_equal(a->other_cpu_ppm, b->other_cpu_ppm);
	assert_int_equal(a->read_bytes_per_second, b->read_bytes_per_second);
	assert_int_equal(a->write_bytes_per_second, b->write_bytes_per_second);
	assert_int_equal(a->blocked_count, b->blocked_count);
	assert_int_equal(a->blocked_listed, b->blocked_listed);
	for (uint32_t i = 0; i < a->blocked_listed; i++) {
		assert_int_equal(a->blocked[i].pid, b->blocked[i].pid);
		assert_int_equal(a->blocked[i].state, b->blocked[i].state);
		assert_memory_equal(a->blocked[i].name, b->blocked[i].name, TASK_NAME_SIZE);
	}
	assert_same_list(&a->top_cpu, &b->top_cpu, 'c');
	assert_same_list(&a->top_memory, &b->top_memory, 'm');
	assert_same_list(&a->top_io, &b->top_io, 'i');
}

/* What is marked is what was written since the scan before: the collector that reads no more must come to the same. */
static void scan_marked(const struct tasks_view *all)
{
	struct tasks_view view = *all;
	static struct sample s;

	m.epoch++;
	for (unsigned i = 0; i < SLOTS; i++)
		if (memcmp(&m.slot[i], &m.written[i], sizeof m.slot[i]))
			m.mark[i] = slot_mark(m.epoch - 1u, m.slot[i].generation);
	memcpy(m.written, m.slot, sizeof m.slot);
	view.slots = m.probe.slots;
	view.probe = &m.probe;
	view.marks = m.mark;
	view.epoch = m.epoch;
	view.all = m.all || m.epoch % 5 == 4;
	m.all = false;
	s = m.sample;
	scan_once(&m.marked, &view, &m.options, m.now_ns, &s);
	forbid_released();
	scan_once(&m.tasks, all, &m.options, m.now_ns, &m.sample);
	assert_same(&s, &m.sample);
}

/* A second passes, then a scan. */
static void scan(void)
{
	struct tasks_view view = {
		.slots = m.slot, .readable = SLOTS, .running = m.running, .cpus = CPUS, .counters = &m.counters, .passes = &m.passes,
	};

	m.counters.jiffies += 250;
	m.now_ns += SECOND;
	m.sample.known = m.tasks.scans ? KNOWS_RATES : 0;
	m.sample.elapsed_ns = m.tasks.scans ? SECOND : 0;
	m.sample.cpus = CPUS;
	scan_marked(&view);
}

/* The kernel gives slot n to another task. */
static struct slot *born(unsigned n, uint32_t pid, uint32_t tgid, const char *name, uint16_t flags)
{
	struct slot *s = &m.slot[n];
	uint32_t generation = s->generation;

	*s = (struct slot){ .pid = pid, .tgid = tgid, .flags = flags, .generation = generation + 2 };
	strncpy(s->name, name, sizeof s->name - 1);
	s->stamp = (uint32_t)m.counters.jiffies + 1;
	return s;
}

/* The kernel records it at a switch: so much more CPU time. */
static void ran(struct slot *s, uint64_t ms)
{
	s->used.cpu_ns += ms * MS;
	s->stamp = (uint32_t)m.counters.jiffies + 1;
}

static const struct top_entry *listed(const struct top_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (!strncmp(list->entry[i].name, name, TASK_NAME_SIZE))
			return &list->entry[i];
	return NULL;
}

/* ms of CPU time that the list gives a name in the last second; -1 where it is not listed. */
static int cpu_ms(const char *name)
{
	const struct top_entry *e = listed(&m.sample.top_cpu, name);

	return e ? (int)(e->cpu_ppm * (uint64_t)CPUS / 1000) : -1;
}

static int total_ms(void)
{
	return (int)(m.sample.cpu_ppm * (uint64_t)CPUS / 1000);
}

static void counts_differences(void **state)
{
	struct slot *s = born(3, 10, 10, "a", 0);

	(void)state;
	s->used.cpu_ns = 5000ull * MS;
	scan();
	assert_int_equal(m.sample.top_cpu.count, 0);	/* needs two readings */
	ran(s, 300);
	scan();
	assert_int_equal(cpu_ms("a"), 300);
	assert_int_equal(total_ms(), 300);
	scan();
	assert_int_equal(total_ms(), 0);
}

/* Whatever the sample says: before the first scan there is nothing to compare with. */
static void the_first_reading_is_a_baseline(void **state)
{
	struct tasks_view view = {
		.slots = m.slot, .readable = SLOTS, .running = m.running, .cpus = CPUS, .counters = &m.counters, .passes = &m.passes,
	};

	(void)state;
	ran(born(0, 10, 10, "a", 0), 500);
	m.sample = (struct sample){ .known = KNOWS_RATES, .elapsed_ns = SECOND, .cpus = CPUS };
	scan_once(&m.tasks, &view, &m.options, m.now_ns, &m.sample);
	assert_int_equal(total_ms(), 0);
}

static void counts_from_zero_in_a_new_slot(void **state)
{
	(void)state;
	scan();
	ran(born(0, 10, 10, "new", 0), 200);
	scan();
	assert_int_equal(cpu_ms("new"), 200);
	assert_int_equal(total_ms(), 200);
	ran(born(0, 11, 11, "newer", 0), 100);
	scan();
	assert_int_equal(cpu_ms("newer"), 100);
	assert_int_equal(total_ms(), 100);
}

/* An interrupted reading is done again: all that is new by then is in the interval, and nothing twice. */
static void reads_twice_within_an_interval(void **state)
{
	struct tasks_view view = {
		.slots = m.slot, .readable = SLOTS, .running = m.running, .cpus = CPUS, .counters = &m.counters, .passes = &m.passes,
	};
	struct slot *a, *b;

	(void)state;
	a = born(0, 10, 10, "a", 0);
	b = born(1, 11, 11, "b", 0);
	b->state = STATE_UNINTERRUPTIBLE;
	scan();
	ran(a, 100);
	ran(b, 50);
	b->flags |= SLOT_DEAD;
	m.running[0].other_ns += 20 * MS;
	tasks_read(&m.tasks, &view, &m.options, &m.sample);
	ran(a, 200);
	m.running[0].other_ns += 30 * MS;
	scan();
	assert_int_equal(cpu_ms("a"), 300);
	assert_int_equal(cpu_ms("b"), 50);
	assert_int_equal(total_ms(), 400);
	assert_int_equal(m.sample.tasks_total, 1);
	assert_int_equal(m.sample.blocked_count, 0);
}

static void check_stale(uint32_t stamp, uint16_t state, bool expected)
{
	struct slot *s = born(3, 10, 10, "a", 0);

	scan();
	s->stamp = stamp;
	s->state = state;
	m.counters.jiffies = 4000;
	scan();
	scan();
	assert_int_equal(m.tasks.stale_count, expected);
	if (!expected)
		return;
	assert_int_equal(m.tasks.stale[0].number, 3);
	assert_int_equal(m.tasks.stale[0].generation, s->generation);
	assert_int_equal(m.tasks.stale[0].stamp, stamp);
}

/* What has made its last switch, and no pass has met since, has lost its task. */
static void finds_slots_without_a_task(void **state)
{
	(void)state;
	m.passes = (struct probe_passes){ .known = true, .last = 3000 };
	check_stale(2999, STATE_DEAD, true);
	check_stale(3000, STATE_DEAD, false);
	check_stale(1, 1, false);
	m.passes.known = false;
	check_stale(2999, STATE_DEAD, false);
}

/* What two passes in a row have not met has lost its task, though its last switch was not seen. */
static void finds_slots_whose_task_two_passes_missed(void **state)
{
	(void)state;
	m.passes = (struct probe_passes){ .known = true, .twice = true, .last = 3000, .before = 2000 };
	check_stale(1999, 0, true);
	check_stale(1999, STATE_UNINTERRUPTIBLE, true);
	check_stale(2000, 0, false);
	check_stale(2000, STATE_DEAD, true);
	m.passes.twice = false;
	check_stale(1999, 0, false);
	m.passes = (struct probe_passes){ .known = true, .twice = true, .last = 100, .before = UINT32_MAX - 50 };	/* around zero */
	check_stale(UINT32_MAX - 51, 1, true);
	check_stale(UINT32_MAX - 50, 1, false);
	check_stale(99, 1, false);
}

/* A record whose stamp came late, so that it looks older than the scan before: it is the last chance to count it. */
static void counts_what_a_lost_slot_has(void **state)
{
	struct slot *s = born(3, 10, 10, "a", 0);

	(void)state;
	m.passes = (struct probe_passes){ .known = true, .last = 3000 };
	scan();
	m.counters.jiffies = 4000;
	scan();
	ran(s, 70);
	s->state = STATE_DEAD;
	s->stamp = 2999;
	scan();
	assert_int_equal(m.tasks.stale_count, 1);
	assert_int_equal(total_ms(), 70);
	scan();
	assert_int_equal(total_ms(), 0);
}

/* What the probe counted, also while it counts on. */
static void tells_what_had_no_slot(void **state)
{
	(void)state;
	m.counters.allocated = 90;
	m.counters.freed = 40;
	m.counters.dropped = 12;
	m.counters.regained = 7;
	m.counters.lost = 3;
	scan();
	assert_int_equal(m.sample.slots, SLOTS);
	assert_int_equal(m.sample.slots_used, 50);
	assert_int_equal(m.sample.without_slot, 5);
	assert_int_equal(m.sample.dropped, 12);
	assert_int_equal(m.sample.lost, 3);
	m.passes = (struct probe_passes){ .complete = 1, .without = 2, .counted = 4 };	/* two ends were not seen */
	scan();
	assert_int_equal(m.sample.without_slot, 3);
	m.counters.regained = 13;
	m.counters.freed = 91;
	scan();
	assert_int_equal(m.sample.without_slot, 0);
	assert_int_equal(m.sample.slots_used, 0);
}

static void leaves_a_slot_that_changes_hands(void **state)
{
	struct slot *s = born(0, 10, 10, "a", 0);

	(void)state;
	scan();
	s->generation++;
	ran(s, 400);
	scan();
	assert_int_equal(total_ms(), 0);
	s->generation++;	/* in other hands now */
	scan();
	assert_int_equal(cpu_ms("a"), 400);
}

/* By the second collector alone: a mark is good for three scans, and reading all takes what has none. */
static void passes_over_what_is_not_marked(void **state)
{
	struct tasks_view view = {
		.slots = m.slot, .marks = m.mark, .readable = SLOTS, .running = m.running, .cpus = CPUS, .counters = &m.counters,
	};
	struct slot *s = born(9, 10, 10, "a", 0);

	(void)state;
	m.sample = (struct sample){ .known = KNOWS_RATES, .elapsed_ns = SECOND, .cpus = CPUS };
	for (unsigned late = 0; late < 6; late++) {
		view.epoch = 126;	/* its low bits wrap */
		scan_once(&m.marked, &view, &m.options, m.now_ns, &m.sample);
		ran(s, 100);
		m.mark[9] = slot_mark(late == 5 ? 125 : 127, s->generation);	/* 5: the writer took the epoch before */
		view.epoch += late == 5 ? 1 : late;
		scan_once(&m.marked, &view, &m.options, m.now_ns, &m.sample);
		assert_int_equal(total_ms(), late < 1 || late == 4 ? 0 : 100);
		view.all = true;
		scan_once(&m.marked, &view, &m.options, m.now_ns, &m.sample);
		assert_int_equal(total_ms(), late < 1 || late == 4 ? 100 : 0);
		view.all = false;
	}
}

static void counts_the_dead_once(void **state)
{
	struct slot *s;

	(void)state;
	scan();
	s = born(0, 10, 10, "true", 0);
	ran(s, 50);
	s->flags |= SLOT_DEAD;
	scan();
	assert_int_equal(cpu_ms("true"), 50);
	assert_int_equal(listed(&m.sample.top_cpu, "true")->ended, 1);
	assert_int_equal(listed(&m.sample.top_cpu, "true")->pid, 0);
	scan();
	assert_int_equal(cpu_ms("true"), -1);
	assert_int_equal(total_ms(), 0);
	ran(born(1, 12, 12, "true", SLOT_DEAD), 20);
	scan();
	assert_int_equal(listed(&m.sample.top_cpu, "true")->ended, 1);	/* not the first one again */
	ran(born(0, 11, 11, "true", SLOT_DEAD), 30);	/* the number given out again */
	scan();
	assert_int_equal(cpu_ms("true"), 30);
}

static void groups_the_ended_by_name(void **state)
{
	(void)state;
	scan();
	for (unsigned i = 0; i < 10; i++)
		ran(born(i, 100 + i, 100 + i, i % 2 ? "cc1" : "as", SLOT_DEAD), 10);
	scan();
	assert_int_equal(cpu_ms("cc1"), 50);
	assert_int_equal(listed(&m.sample.top_cpu, "cc1")->ended, 5);
	assert_int_equal(cpu_ms("as"), 50);
	assert_int_equal(m.sample.top_cpu.count, 2);
}

static void a_dead_thread_belongs_to_its_process(void **state)
{
	struct slot *leader = born(0, 10, 10, "server", 0), *thread = born(1, 11, 10, "worker", 0);

	(void)state;
	scan();
	ran(leader, 100);
	ran(thread, 200);
	thread->flags |= SLOT_DEAD;
	scan();
	assert_int_equal(cpu_ms("server"), 300);
	assert_int_equal(listed(&m.sample.top_cpu, "server")->threads, 1);
	ran(born(2, 12, 10, "worker", SLOT_DEAD), 70);	/* lived between two scans only */
	scan();
	assert_int_equal(cpu_ms("server"), 70);
	assert_int_equal(m.sample.top_cpu.count, 1);
}

static void a_pid_used_again_is_another_process(void **state)
{
	struct slot *old = born(0, 10, 10, "old", 0);

	(void)state;
	scan();
	ran(old, 100);
	old->flags |= SLOT_DEAD;
	ran(born(1, 10, 10, "new", 0), 20);
	scan();
	assert_int_equal(cpu_ms("old"), 100);
	assert_int_equal(cpu_ms("new"), 20);
	assert_int_equal(listed(&m.sample.top_cpu, "new")->pid, 10);
}

static void exec_from_another_thread_keeps_the_process(void **state)
{
	struct slot *leader = born(0, 10, 10, "before", 0), *thread = born(1, 11, 10, "before", 0);

	(void)state;
	scan();
	ran(leader, 100);
	ran(thread, 200);
	leader->pid = 11;	/* they change pids, and the old leader is freed */
	leader->flags |= SLOT_DEAD;
	thread->pid = 10;
	strcpy(thread->name, "after");
	scan();
	assert_int_equal(cpu_ms("after"), 300);
	assert_int_equal(m.sample.top_cpu.count, 1);
}

static void lays_over_what_runs(void **state)
{
	struct slot *s = born(5, 10, 10, "hog", 0);

	(void)state;
	m.running[1] = (struct running){ .slot = 6, .generation = 2, .pid = 10, .tgid = 10 };
	scan();
	m.running[1].used.cpu_ns = 1000ull * MS;
	scan();
	assert_int_equal(cpu_ms("hog"), 1000);
	ran(s, 1200);		/* the switch records what was mostly counted */
	m.running[1] = (struct running){ 0 };
	scan();
	assert_int_equal(cpu_ms("hog"), 200);
}

static void distrusts_what_runs(void **state)
{
	static const struct running rows[] = {
		{ .slot = SLOTS + 1, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = SECOND },
		{ .slot = UINT32_MAX, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = SECOND },
		{ .slot = 0, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = SECOND },
		{ .slot = 1, .generation = 2, .pid = 10, .tgid = 99, .used.cpu_ns = SECOND },
		{ .slot = 1, .generation = 4, .pid = 10, .tgid = 10, .used.cpu_ns = SECOND },
		{ .slot = 2, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = SECOND },
	};

	(void)state;
	born(0, 10, 10, "a", 0);
	scan();
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		m.running[0] = rows[i];
		scan();
		assert_int_equal(total_ms(), 0);
	}
}

static void counts_those_without_a_slot(void **state)
{
	(void)state;
	m.running[0].other_ns = 700 * MS;
	scan();
	m.running[0].other_ns += 300 * MS;
	scan();
	assert_int_equal(total_ms(), 300);
	assert_int_equal(m.sample.other_cpu_ppm * CPUS / 1000, 300);
	m.running[0].other_ns -= 100 * MS;	/* what was laid over has got a slot: never negative */
	scan();
	assert_int_equal(total_ms(), 0);
}

static uint64_t rss(const char *name)
{
	const struct top_entry *e = listed(&m.sample.top_memory, name);

	return e ? e->rss_bytes / 4096 : 0;
}

static void the_newest_rss_wins(void **state)
{
	struct slot *a = born(0, 10, 10, "p", 0), *b = born(1, 11, 10, "t", 0);

	(void)state;
	a->rss_pages = 500;
	b->rss_pages = 900;
	b->stamp = a->stamp + 1;
	scan();
	assert_int_equal(rss("p"), 900);
	b->stamp = (uint32_t)m.counters.jiffies + 1;
	b->rss_pages = 300;
	a->stamp = b->stamp + 1;
	a->rss_pages = 200;
	scan();
	assert_int_equal(rss("p"), 200);
	b->stamp = (uint32_t)m.counters.jiffies + 5;
	b->rss_pages = 0;	/* a thread on its way out */
	scan();
	assert_int_equal(rss("p"), 200);
}

static void zombies_after_a_while(void **state)
{
	struct slot *leader = born(0, 10, 10, "dead", 0), *thread = born(1, 11, 10, "t", 0);

	(void)state;
	leader->state = STATE_DEAD;
	leader->rss_pages = thread->rss_pages = 100;
	scan();
	scan();
	assert_int_equal(m.sample.blocked_count, 0);	/* a thread lives */
	assert_int_equal(rss("dead"), 100);
	thread->flags |= SLOT_DEAD;
	scan();
	assert_int_equal(m.sample.blocked_count, 0);	/* may be on its way out */
	scan();
	assert_int_equal(m.sample.blocked_count, 1);
	assert_int_equal(m.sample.blocked[0].state, 'Z');
	assert_int_equal(m.sample.blocked[0].pid, 10);
	assert_int_equal(rss("dead"), 0);
	leader->flags |= SLOT_DEAD;
	scan();
	assert_int_equal(m.sample.blocked_count, 0);
}

static void blocked_is_uninterruptible_and_not_idle(void **state)
{
	static const struct {
		uint16_t state;
		uint32_t count;
	} rows[] = { { 0, 0 }, { 1, 0 }, { 2, 1 }, { 0x402, 0 }, { 0x102, 1 }, { 0x2102, 1 }, { 0x82, 0 } };
	struct slot *s = born(0, 10, 10, "io", 0);

	(void)state;
	for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		s->state = rows[i].state;
		scan();
		assert_int_equal(m.sample.blocked_count, rows[i].count);
	}
	s->state = 2;
	m.running[0] = (struct running){ .slot = 1, .generation = 2, .pid = 10, .tgid = 10 };
	scan();
	assert_int_equal(m.sample.blocked_count, 0);	/* on a CPU again */
}

static void leaves_kernel_threads_out(void **state)
{
	struct slot *k = born(0, 2, 2, "kworker", SLOT_KERNEL);

	(void)state;
	m.options.no_kernel = true;
	k->state = 2;
	scan();
	ran(k, 500);
	scan();
	assert_int_equal(m.sample.top_cpu.count, 0);
	assert_int_equal(m.sample.blocked_count, 0);
	assert_int_equal(total_ms(), 500);	/* left out of the lists, not of the machine */
}

static void lists_the_largest_in_order(void **state)
{
	struct slot *s[30];
	char name[8];

	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		snprintf(name, sizeof name, "p%u", i);
		s[i] = born(i, 100 + i, 100 + i, name, 0);
	}
	scan();
	m.options.top_rows = 3;
	for (unsigned i = 0; i < 30; i++)
		ran(s[i], (i * 7) % 30 + 1);
	scan();
	assert_int_equal(m.sample.top_cpu.count, 3);
	assert_true(m.sample.top_cpu.entry[0].cpu_ppm > m.sample.top_cpu.entry[1].cpu_ppm);
	assert_true(m.sample.top_cpu.entry[1].cpu_ppm > m.sample.top_cpu.entry[2].cpu_ppm);
	assert_int_equal(m.sample.top_cpu.entry[0].cpu_ppm * CPUS / 1000, 30);
	m.options.top_rows = 1000;
	m.options.min_cpu_ppm = 10000;	/* 1% of 2 CPUs: 20 ms */
	for (unsigned i = 0; i < 30; i++)
		ran(s[i], i);
	scan();
	assert_int_equal(m.sample.top_cpu.count, 10);
	m.options.top_rows = 0;
	ran(s[0], 500);
	scan();
	assert_int_equal(m.sample.top_cpu.count, 0);
}

static void more_names_than_groups(void **state)
{
	struct ended *ended = calloc(1, sizeof *ended);
	struct use use = { .cpu_ns = 1 };
	char name[TASK_NAME_SIZE] = "";

	(void)state;
	assert_non_null(ended);
	for (unsigned i = 0; i < 2 * ENDED_GROUPS; i++) {
		snprintf(name, sizeof name, "n%u", i);
		ended_add(ended, name, false, 1, &use);
		ended_add(ended, name, false, 1, &use);
		if (i == ENDED_GROUPS)
			assert_string_equal(ended->group[ENDED_GROUPS].name, "(others)");
	}
	assert_int_equal(ended->groups, ENDED_GROUPS + 1);
	assert_string_equal(ended->group[ENDED_GROUPS].name, "(others)");
	assert_int_equal(ended->group[ENDED_GROUPS].processes, 2 * ENDED_GROUPS);
	assert_int_equal(ended->group[0].processes, 2);
	ended_clear(ended);
	ended_add(ended, "n1", false, 1, &use);
	assert_int_equal(ended->groups, 1);
	assert_int_equal(ended->group[0].processes, 1);
	free(ended);
}

static void entries_are_used_again(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < SLOTS; i++)
			born(i, 1000 + round * SLOTS + i, 1000 + round * SLOTS + i, "p", round % 2 ? SLOT_DEAD : 0);
		scan();
		assert_true(m.tasks.high <= SLOTS);
	}
	assert_int_equal(m.sample.tasks_total, 0);
}

/* Every slot is in use, and all of them change hands in one interval: old and new processes stand side by side. */
static void all_slots_change_hands_at_once(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < SLOTS; i++)
			ran(born(i, 1000 + round * SLOTS + i, 1000 + round * SLOTS + i, "p", 0), 1);
		scan();
		for (unsigned i = 0; i < SLOTS; i++)
			assert_int_not_equal(m.tasks.seen[i].process, 0);
		if (round)
			assert_int_equal(total_ms(), SLOTS);
		assert_true(m.tasks.high <= 2 * SLOTS);
	}
	/* and all threads of processes that are gone: the ended are counted where no entry was left */
	for (unsigned i = 0; i < SLOTS; i++)
		ran(born(i, 5000 + i, 90000 + i, "t", SLOT_DEAD), 1);
	scan();
	assert_int_equal(total_ms(), SLOTS);
	assert_int_equal(cpu_ms("t"), SLOTS);
}

/* Entries that are free are taken first, so that a pass over all of them does not grow with time. */
static void free_entries_are_taken_first(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 1000; round++) {
		struct slot *s = born(round % 4, 1000 + round, 1000 + round, "p", 0);

		scan();
		s->flags |= SLOT_DEAD;
	}
	assert_in_range(m.tasks.high, 1, 6);
}

/* A view that claims more slots than there is room for. */
static void distrusts_its_view(void **state)
{
	static struct slot slots[2 * SLOTS];
	static struct running running[2 * CPUS];
	struct tasks_view view = {
		.slots = slots, .readable = 2 * SLOTS, .running = running, .cpus = 2 * CPUS, .counters = &m.counters,
	};

	(void)state;
	for (unsigned i = 0; i < 2 * SLOTS; i++)
		slots[i] = (struct slot){ .pid = 10 + i, .tgid = 10 + i, .generation = 2, .state = 1 };
	running[0] = (struct running){ .slot = SLOTS, .generation = 2, .pid = 9 + SLOTS, .tgid = 9 + SLOTS, .used.cpu_ns = 7 };
	running[1] = (struct running){ .slot = SLOTS + 1, .generation = 2, .pid = 10 + SLOTS, .tgid = 10 + SLOTS, .used.cpu_ns = 7 };
	running[2] = (struct running){ .slot = 1, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = 7 };
	m.sample.cpus = CPUS;
	scan_once(&m.tasks, &view, &m.options, m.now_ns, &m.sample);
	assert_int_equal(m.sample.tasks_total, SLOTS);
	assert_int_equal(m.sample.tasks_running, 1);
}

/* A task that moves between CPUs while they are copied is in two entries; its time is counted once. */
static void one_task_on_two_cpus(void **state)
{
	(void)state;
	born(0, 10, 10, "hog", 0);
	scan();
	m.running[0] = (struct running){ .slot = 1, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = 300 * MS };
	m.running[1] = (struct running){ .slot = 1, .generation = 2, .pid = 10, .tgid = 10, .used.cpu_ns = 310 * MS };
	scan();
	assert_int_equal(cpu_ms("hog"), 310);
	m.running[0].used.cpu_ns = 500 * MS;
	m.running[1].used.cpu_ns = 490 * MS;
	scan();
	assert_int_equal(cpu_ms("hog"), 190);
}

/* Jiffies wrap after 2^32; a record from before is not newer than one from after. */
static void stamps_wrap(void **state)
{
	struct slot *a = born(0, 10, 10, "p", 0), *b = born(1, 11, 10, "t", 0);

	(void)state;
	m.counters.jiffies = UINT32_MAX - 300;
	a->stamp = b->stamp = UINT32_MAX - 200;
	a->rss_pages = b->rss_pages = 100;
	scan();
	assert_int_equal(rss("p"), 100);
	b->stamp = UINT32_MAX;
	b->rss_pages = 200;
	a->stamp = 5;	/* wrapped */
	a->rss_pages = 300;
	a->used.cpu_ns += 50 * MS;
	scan();
	assert_int_equal(rss("p"), 300);
	assert_int_equal(cpu_ms("p"), 50);
	b->stamp = (uint32_t)m.counters.jiffies + 1;
	b->rss_pages = 400;
	scan();
	assert_int_equal(rss("p"), 400);
	assert_int_equal(total_ms(), 0);
	b->stamp = (uint32_t)-5;	/* from before, though a larger number */
	b->rss_pages = 1;
	scan();
	assert_int_equal(rss("p"), 400);
}

/* A zombie is one after 100 ms, whatever the interval is; a kernel thread may be one, too. */
static void zombies_by_time(void **state)
{
	struct tasks_view view = {
		.slots = m.slot, .readable = SLOTS, .running = m.running, .cpus = CPUS, .counters = &m.counters, .passes = &m.passes,
	};
	struct slot *s = born(0, 10, 10, "dead", SLOT_KERNEL);

	(void)state;
	s->state = STATE_DEAD;
	for (unsigned ms = 0; ms <= 100; ms += 25) {
		scan_once(&m.tasks, &view, &m.options, m.now_ns + ms * MS - (ms == 100), &m.sample);
		assert_int_equal(m.sample.blocked_count, 0);
	}
	scan_once(&m.tasks, &view, &m.options, m.now_ns + 100 * MS, &m.sample);
	assert_int_equal(m.sample.blocked_count, 1);
	assert_int_equal(m.sample.blocked[0].state, 'Z');
	m.options.no_kernel = true;
	scan_once(&m.tasks, &view, &m.options, m.now_ns + 200 * MS, &m.sample);
	assert_int_equal(m.sample.blocked_count, 0);
	born(0, 11, 11, "alive", 0);	/* its slot again: the clock of the new one starts anew */
	scan_once(&m.tasks, &view, &m.options, m.now_ns + 300 * MS, &m.sample);
	assert_int_equal(m.sample.blocked_count, 0);
}

/* Without a process, as a slot of the portable path may be for a moment: it is a task all the same, until it ends. */
static void a_task_of_no_process(void **state)
{
	struct slot *s = born(0, 10, 0, "a", 0);

	(void)state;
	scan();
	assert_int_equal(m.sample.tasks_total, 1);
	assert_int_equal(m.sample.tasks_running, 1);
	s->flags |= SLOT_DEAD;
	scan();
	assert_int_equal(m.sample.tasks_total, 0);
	assert_int_equal(m.sample.tasks_running, 0);
}

/* More are blocked than are listed. */
static void blocked_are_counted_beyond_the_list(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SLOTS; i++)
		born(i, 10 + i, 10 + i, "io", 0)->state = STATE_UNINTERRUPTIBLE;
	scan();
	assert_int_equal(m.sample.blocked_count, SLOTS);
	assert_int_equal(m.sample.blocked_listed, BLOCKED_MAX);
}

/* A name shared by a kernel thread and a process is left out only where no process is among the ended. */
static void ended_kernel_threads(void **state)
{
	(void)state;
	m.options.no_kernel = true;
	for (unsigned order = 0; order < 2; order++) {
		scan();
		ran(born(0, 10 + order, 10 + order, "both", SLOT_DEAD | (order ? 0 : SLOT_KERNEL)), 20);
		ran(born(1, 20 + order, 20 + order, "both", SLOT_DEAD | (order ? SLOT_KERNEL : 0)), 30);
		ran(born(2, 30 + order, 30 + order, "kernel", SLOT_DEAD | SLOT_KERNEL), 40);
		scan();
		assert_int_equal(cpu_ms("both"), 50);
		assert_int_equal(cpu_ms("kernel"), -1);
	}
}

/* Thresholds hold to the byte, not to the thousand. */
static void thresholds(void **state)
{
	struct slot *s = born(0, 10, 10, "io", 0);

	(void)state;
	s->rss_pages = 25;
	m.options.min_rss_bytes = 25 * 4096;
	scan();
	assert_int_equal(m.sample.top_memory.count, 1);
	m.options.min_rss_bytes = 26 * 4096;
	m.options.min_io_bytes_per_second = 1999;
	s->used.read_bytes = 999;
	s->used.write_bytes = 1000;
	ran(s, 0);
	scan();
	assert_int_equal(m.sample.top_memory.count, 0);
	assert_int_equal(m.sample.top_io.count, 1);
	assert_int_equal(m.sample.top_io.entry[0].read_bytes_per_second, 999);
	assert_int_equal(m.sample.top_io.entry[0].write_bytes_per_second, 1000);
	assert_int_equal(m.sample.read_bytes_per_second, 999);
	s->used.write_bytes += 1998;
	ran(s, 0);
	scan();
	assert_int_equal(m.sample.top_io.count, 0);
}

/* Every limit of rows, and equal ones in the order they came. */
static void every_limit_of_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30; i++)
		born(i, 100 + i, 100 + i, "p", 0);
	scan();
	for (uint32_t limit = 0; limit <= TOP_MAX + 2; limit++) {
		uint32_t want = limit < TOP_MAX ? limit : TOP_MAX;

		m.options.top_rows = limit;
		for (unsigned i = 0; i < 30; i++)
			ran(&m.slot[i], i < 5 ? 3 : i < 10 ? 9 : 1 + i % 2);
		scan();
		assert_int_equal(m.sample.top_cpu.count, want);
		for (uint32_t i = 1; i < want; i++) {
			const struct top_entry *e = &m.sample.top_cpu.entry[i];

			assert_true(e[-1].cpu_ppm >= e->cpu_ppm);
			if (e[-1].cpu_ppm == e->cpu_ppm)
				assert_true(e[-1].pid < e->pid);
		}
		if (want)
			assert_int_equal(m.sample.top_cpu.entry[0].pid, 105);
	}
}

/* A whole scan after days in which we were stopped, and one in no time at all. */
static void any_time_between_scans(void **state)
{
	static const uint64_t elapsed[] = { 0, 1, 999, 1000, 999999, MS, 10ull * 86400 * SECOND,
					    365ull * 86400 * SECOND, INT64_MAX, UINT64_MAX };
	static const uint32_t cpus[] = { 0, 1, 2, 512, 8192 };
	struct tasks_view view = {
		.slots = m.slot, .readable = SLOTS, .running = m.running, .cpus = CPUS, .counters = &m.counters, .passes = &m.passes,
	};
	struct slot *s = born(0, 10, 10, "p", 0);

	(void)state;
	m.options.min_cpu_ppm = 1;
	m.options.min_io_bytes_per_second = 1;
	scan();
	for (unsigned i = 0; i < COUNT_OF(elapsed) * COUNT_OF(cpus); i++) {
		s->used.cpu_ns += UINT64_MAX / 64;
		s->used.read_bytes += UINT64_MAX / 64;
		ran(s, 1);
		m.sample.known = KNOWS_RATES;
		m.sample.elapsed_ns = elapsed[i / COUNT_OF(cpus)];
		m.sample.cpus = cpus[i % COUNT_OF(cpus)];
		scan_once(&m.tasks, &view, &m.options, m.now_ns, &m.sample);
		assert_in_range(m.sample.cpu_ppm, 0, PPM);
		if (m.sample.elapsed_ns < 1000)
			assert_int_equal(m.sample.cpu_ppm, 0);
		if (m.sample.elapsed_ns < MS)
			assert_int_equal(m.sample.read_bytes_per_second, 0);
		if (m.sample.top_cpu.count)
			assert_in_range(m.sample.top_cpu.entry[0].cpu_ppm, 0, PPM);
	}
}

/* Days may pass while we are stopped; CPUs may be many. */
static void ratios_stay_in_range(void **state)
{
	struct sample s = { .elapsed_ns = UINT64_MAX, .cpus = 8192 };

	(void)state;
	assert_in_range(rate_of_cpus(UINT64_MAX, &s), 0, PPM);
	s = (struct sample){ .elapsed_ns = 10ull * 86400 * SECOND, .cpus = 2 };
	assert_in_range(rate_of_cpus(10ull * 86400 * SECOND, &s), 499000, 501000);
	s = (struct sample){ .elapsed_ns = 86400ull * SECOND, .cpus = 8192 };
	assert_in_range(rate_of_cpus(4096 * 86400ull * SECOND, &s), 499000, 501000);
	s = (struct sample){ .elapsed_ns = 0, .cpus = 2 };
	assert_int_equal(rate_of_cpus(1000, &s), 0);
	assert_int_equal(rate_of_bytes(1000, &s), 0);
	s.elapsed_ns = 500 * MS;
	assert_int_equal(rate_of_bytes(1000, &s), 2000);
}

/* Whatever the memory holds: no access outside, and every process has as many threads as slots refer to it. */
static void survives_any_memory(void **state)
{
	uint32_t seed = 1, threads[2 * SLOTS + 1];

	(void)state;
	for (unsigned round = 0; round < 3000; round++) {
		for (unsigned i = 0; i < 200; i++) {
			unsigned at, slot;
			uint8_t *byte;

			seed = seed * 1664525 + 1013904223;
			at = (seed >> 8) % (64 * sizeof(struct slot) + sizeof m.running);
			slot = at / sizeof(struct slot) % 16 + PIECE * (at / sizeof(struct slot) / 16);	/* a few of each piece */
			byte = slot < SLOTS ? (uint8_t *)&m.slot[slot] + at % sizeof(struct slot) :
					      (uint8_t *)m.running + (at - 64 * sizeof(struct slot));
			*byte = (uint8_t)(seed >> (seed & 7 ? 24 : 28));
		}
		scan();
		assert_in_range(m.sample.cpu_ppm, 0, PPM);
		assert_in_range(m.sample.blocked_listed, 0, BLOCKED_MAX);
		assert_in_range(m.sample.top_cpu.count, 0, TOP_MAX);
		memset(threads, 0, sizeof threads);
		for (unsigned i = 0; i < SLOTS; i++) {
			assert_in_range(m.tasks.seen[i].process, 0, 2 * SLOTS);
			threads[m.tasks.seen[i].process]++;
		}
		for (unsigned i = 0; i < m.tasks.high; i++)
			if (m.tasks.process[i].tgid)
				assert_int_equal(m.tasks.process[i].threads, threads[i + 1]);
	}
}

/* One more scan, and the one after a pass; nobody does anything. */
static void rest_and_pass(void)
{
	for (unsigned i = 0; i < 3; i++)
		scan();
	m.all = true;
	scan();
}

static bool is_zero(const void *memory, size_t size)
{
	const uint8_t *bytes = memory;

	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static void gives_memory_back(void **state)
{
	struct slot *stays = born(5, 5, 5, "stays", 0);
	int map = m.probe.slots_map;

	(void)state;
	scan();
	assert_int_equal(held_pieces(), 1);	/* the first reading is of all, and gives back where nobody lives */
	for (unsigned i = PIECE; i < SLOTS; i++)
		ran(born(i, 1000 + i, 1000 + i, "storm", 0), 1);
	scan();
	assert_int_equal(m.marked.high, SLOTS - PIECE + 1);
	assert_int_equal(m.sample.tasks_total, SLOTS - PIECE + 1);
	for (unsigned i = PIECE; i < SLOTS; i++)
		m.slot[i].flags |= SLOT_DEAD;
	m.all = true;
	scan();
	assert_int_equal(held_pieces(), 1);	/* who has ended writes no more, and who comes next has another mark */
	rest_and_pass();
	assert_int_equal(held_pieces(), 1);
	assert_int_equal(m.marked.high, 1);
	assert_int_equal(m.marked.free, 0);
	assert_true(is_zero(&m.marked.seen[PIECE], (SLOTS - PIECE) * sizeof(struct tasks_seen)));
	m.probe.slots_map = -1;
	m.all = true;
	scan();		/* does not read what went back */
	assert_int_equal(m.probe.unmapped, 0);
	m.probe.slots_map = map;
	ran(stays, 20);
	ran(born(2 * PIECE, 9, 9, "again", 0), 30);
	scan();
	assert_int_equal(held_pieces(), 2);
	assert_int_equal(cpu_ms("again"), 30);
	assert_int_equal(total_ms(), 50);
	m.all = true;
	scan();		/* reads the dead ones beside it again */
	assert_int_equal(total_ms(), 0);
	assert_int_equal(m.sample.tasks_total, 2);
}

/* Processes that outlive a storm at the end of the table do not keep it. */
static void gives_processes_back(void **state)
{
	const unsigned last = SLOTS - 1, some = 2 * PAGE / sizeof(struct tasks_process);

	(void)state;
	scan();
	for (unsigned i = 0; i < SLOTS; i++)
		ran(born(i, 1000 + i, 1000 + i, "storm", 0), 1);
	scan();
	for (unsigned i = 1; i < last; i++)
		m.slot[i].flags |= SLOT_DEAD;
	rest_and_pass();
	assert_int_equal(m.marked.high, SLOTS);
	assert_true(is_zero(&m.marked.process[some], (SLOTS - 2 * some) * sizeof(struct tasks_process)));
	for (unsigned i = 1; i < last; i++)
		ran(born(i, 9000 + i, 9000 + i, "again", 0), 1);
	ran(&m.slot[last], 5);
	scan();
	assert_int_equal(m.marked.high, SLOTS);
	assert_int_equal(total_ms(), last - 1 + 5);
	assert_int_equal(cpu_ms("storm"), 5);
	assert_int_equal(m.sample.tasks_total, SLOTS);
}

/* Who sleeps through it all keeps its piece, and so does who is blocked. */
static void keeps_what_sleeps(void **state)
{
	struct slot *sleeper = born(PIECE + 7, 7, 7, "sleeper", 0), *blocked = born(3 * PIECE + 8, 8, 8, "blocked", 0);

	(void)state;
	sleeper->rss_pages = 100000;
	blocked->state = STATE_UNINTERRUPTIBLE;
	scan();
	for (unsigned i = 0; i < 3; i++)
		rest_and_pass();
	assert_int_equal(held_pieces(), 2);
	assert_int_equal(m.sample.tasks_total, 2);
	assert_int_equal(m.sample.blocked_count, 1);
	assert_non_null(listed(&m.sample.top_memory, "sleeper"));
	ran(sleeper, 10);
	scan();
	assert_int_equal(cpu_ms("sleeper"), 10);
	for (unsigned i = 0; i < 3; i++)
		scan();
	sleeper->rss_pages = 200000;	/* by a pass, which does not mark */
	sleeper->stamp = (uint32_t)m.counters.jiffies + 1;
	m.written[PIECE + 7] = *sleeper;
	m.all = true;
	scan();
	assert_int_equal(listed(&m.sample.top_memory, "sleeper")->rss_bytes, 200000ull * PAGE);
}

/* A piece that cannot be mapped is not read, and nothing of it is lost once it can. */
static void reads_later_what_cannot_be_mapped(void **state)
{
	int map = m.probe.slots_map;
	struct tasks_view view = {
		.slots = m.probe.slots, .marks = m.mark, .probe = &m.probe, .readable = SLOTS, .running = m.running, .cpus = CPUS,
		.counters = &m.counters, .passes = &m.passes,
	};

	(void)state;
	scan();
	rest_and_pass();
	assert_int_equal(held_pieces(), 0);
	ran(born(PIECE, 9, 9, "late", 0), 30);
	memcpy(m.written, m.slot, sizeof m.slot);
	view.epoch = m.epoch;
	m.mark[PIECE] = slot_mark(m.epoch, m.slot[PIECE].generation);
	m.probe.slots_map = -1;
	tasks_read(&m.marked, &view, &m.options, &m.sample);
	assert_int_equal(m.probe.unmapped, -EBADF);
	assert_int_equal(m.sample.tasks_total, 0);
	m.probe.slots_map = map;
	tasks_read(&m.marked, &view, &m.options, &m.sample);
	assert_int_equal(m.sample.tasks_total, 0);	/* once a scan */
	m.probe.unmapped = 0;
	view.epoch += 100;	/* not marked lately any more */
	tasks_read(&m.marked, &view, &m.options, &m.sample);
	assert_int_equal(m.sample.tasks_total, 0);
	view.whole = true;
	tasks_read(&m.marked, &view, &m.options, &m.sample);
	assert_int_equal(m.sample.tasks_total, 1);
	assert_int_equal(held_pieces(), SLOTS / PIECE);
	tasks_conclude(&m.marked, &view, &m.options, m.now_ns, &m.sample);
	assert_int_equal(held_pieces(), 1);
}

/* Storms of tasks that come and go, passes now and then: each scan() holds what is counted against one that keeps all. */
static void comes_and_goes(void **state)
{
	unsigned lowest = SLOTS / PIECE, highest = 0;
	uint32_t random = 1;

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		unsigned tasks = round / 20 % 2 ? 0 : 100;

		for (unsigned i = 0; i < tasks; i++) {
			unsigned n = (random = random * 1664525 + 1013904223) >> 8 & (SLOTS - 1);
			struct slot *s = &m.slot[n];

			if (!s->generation || s->flags & SLOT_DEAD)
				ran(born(n, 5000 * round + n, 5000 * round + n, random % 3 ? "a" : "b", 0), 1 + i % 10);
			else if (random >> 20 & 1)
				ran(s, 1 + i % 10);
			else
				s->flags |= SLOT_DEAD;
		}
		if (round / 20 % 2 && round % 20 < 4)
			for (unsigned n = 0; n < SLOTS; n++)
				if (m.slot[n].generation)
					m.slot[n].flags |= SLOT_DEAD;
		scan();
		if (held_pieces() < lowest)
			lowest = held_pieces();
		if (round > 20 && held_pieces() > highest)
			highest = held_pieces();
	}
	assert_in_range(lowest, 0, 1);
	assert_int_equal(highest, SLOTS / PIECE);
}

/* Marks of who has ended look recent again as epochs come round; what was given back is not mapped for them. */
static void leaves_what_was_given_back(void **state)
{
	(void)state;
	for (unsigned n = 0; n < SLOTS; n++) {
		if (n % 40 == 0)
			scan();
		ran(born(n, 10 + n, 10 + n, "a", 0), 10);
	}
	for (unsigned n = 0; n < SLOTS; n++) {
		if (n % 10 == 0)
			scan();
		m.slot[n].flags |= SLOT_DEAD;
	}
	scan();
	rest_and_pass();
	for (unsigned i = 0; i < 300; i++) {
		scan();
		assert_int_equal(held_pieces(), 0);
	}
	ran(born(7, 9999, 9999, "b", 0), 10);
	scan();
	assert_int_equal(m.marked.alive, 1);
	assert_int_equal(held_pieces(), 1);
	while (m.epoch % 5 != 3)	/* the next scan reads all, as after a pass */
		scan();
	born(700, 9998, 9998, "c", 0);	/* was not seen, and is not: the mark of who follows looks like the last one's */
	ran(born(700, 9999, 9999, "d", 0), 10);
	scan();
	assert_int_equal(m.marked.alive, 2);
}

/* Eight marks at a time, against one at a time: all pairs of epoch and mark, at each place, beside others. */
static void eight_marks_at_once(void **state)
{
	static const uint8_t ages[] = { 3, 4, 63, 64, 131, 192, 125, 255 };

	(void)state;
	for (unsigned epoch = 0; epoch < 256; epoch++)
		for (unsigned mark = 0; mark < 256; mark++)
			for (unsigned place = 0; place < 8; place++) {
				uint8_t marks[8];
				uint64_t all;

				for (unsigned i = 0; i < 8; i++)
					marks[i] = (uint8_t)(epoch - ages[(i + mark) % 8]);	/* none of which is recent */
				marks[place] = (uint8_t)mark;
				memcpy(&all, marks, sizeof all);
				assert_int_equal(marks_are_recent(all, (uint8_t)epoch), (epoch - mark) % 128 <= 2);
			}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(counts_differences),
		TEST(the_first_reading_is_a_baseline),
		TEST(counts_from_zero_in_a_new_slot),
		TEST(reads_twice_within_an_interval),
		TEST(finds_slots_without_a_task), TEST(finds_slots_whose_task_two_passes_missed),
		TEST(counts_what_a_lost_slot_has),
		TEST(tells_what_had_no_slot),
		TEST(leaves_a_slot_that_changes_hands),
		TEST(passes_over_what_is_not_marked),
		TEST(a_task_of_no_process),
		TEST(counts_the_dead_once),
		TEST(eight_marks_at_once),
		TEST(gives_memory_back), TEST(leaves_what_was_given_back),
		TEST(gives_processes_back),
		TEST(keeps_what_sleeps),
		TEST(reads_later_what_cannot_be_mapped),
		TEST(comes_and_goes),
		TEST(groups_the_ended_by_name),
		TEST(a_dead_thread_belongs_to_its_process),
		TEST(a_pid_used_again_is_another_process),
		TEST(exec_from_another_thread_keeps_the_process),
		TEST(lays_over_what_runs),
		TEST(distrusts_what_runs),
		TEST(counts_those_without_a_slot),
		TEST(the_newest_rss_wins),
		TEST(zombies_after_a_while),
		TEST(blocked_is_uninterruptible_and_not_idle),
		TEST(leaves_kernel_threads_out),
		TEST(lists_the_largest_in_order),
		TEST(more_names_than_groups),
		TEST(entries_are_used_again),
		TEST(all_slots_change_hands_at_once),
		TEST(free_entries_are_taken_first),
		TEST(distrusts_its_view),
		TEST(one_task_on_two_cpus),
		TEST(stamps_wrap),
		TEST(zombies_by_time),
		TEST(blocked_are_counted_beyond_the_list),
		TEST(ended_kernel_threads),
		TEST(thresholds),
		TEST(every_limit_of_rows),
		TEST(any_time_between_scans),
		TEST(ratios_stay_in_range),
		TEST(survives_any_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
