/* SPDX-License-Identifier: MIT */
/* The walk over trees that look like /proc, with the scanner behind it; and once over the real one. */
#include "test/unit/tree.h"
#undef fail

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "collect/proc.h"
#include "collect/tasks.h"

enum { CAPACITY = 8, MS = 1000000, SECOND = 1000 * MS, TICKS_PER_SECOND = 100 };

/* All of a fixture's process, as the tests change it. */
struct process {
	uint32_t pid;
	const char *name;
	char state;
	uint32_t threads;
	uint64_t started, ticks, rss, read, write;
	bool kernel;
};

static struct machine {
	struct tree tree;
	struct proc proc;
	struct tasks tasks;
	struct sample sample;
	struct tasks_options options;
	void *memory, *tasks_memory;
	uint32_t capacity;
	uint64_t boot_ns;
	unsigned idle;
} m;

static const struct tree_file empty[] = {
	{ "proc/stat", "cpu  0 0 0 0 0 0 0 0 0 0\n" },
	{ "proc/loadavg", "0.00 0.00 0.00 1/1 1\n" },
	{ "proc/1x/stat", "1 (no pid) R 0" },
	{ "proc/01/stat", "1 (no pid) R 0" },
	{ "proc/4194305/stat", "1 (no pid) R 0" },
	{ "proc/18446744073709551617/stat", "1 (no pid) R 0" },
	{ NULL, NULL },
};

static void begin(int root, uint32_t capacity)
{
	m.capacity = capacity;
	m.memory = calloc(1, proc_memory(capacity));
	m.tasks_memory = calloc(1, tasks_memory(capacity, 0));
	assert_non_null(m.memory);
	assert_non_null(m.tasks_memory);
	assert_int_equal(proc_open(&m.proc, root, m.memory, capacity), 0);
	tasks_open(&m.tasks, m.tasks_memory, capacity, 0);
	m.options = (struct tasks_options){ .top_rows = 20, .page_size = 4096 };
	m.boot_ns = 1000ull * SECOND;
}

static int setup(void **state)
{
	(void)state;
	memset(&m, 0, sizeof m);
	tree_make(&m.tree, empty);
	begin(m.tree.root, CAPACITY);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	proc_close(&m.proc);
	free(m.memory);
	free(m.tasks_memory);
	tree_drop(&m.tree);
	return 0;
}

static void put_stat(const struct process *p)
{
	char path[64], line[512];

	snprintf(path, sizeof path, "proc/%u/stat", p->pid);
	snprintf(line, sizeof line,
		 "%u (%s) %c 1 1 1 0 -1 %u 5 6 7 8 %llu %llu 9 9 20 0 %u 0 %llu 1000000 %llu 18446744073709551615 1\n",
		 p->pid, p->name, p->state ? p->state : 'S', p->kernel ? 0x200040u : 0x400040u,
		 (unsigned long long)p->ticks / 2, (unsigned long long)(p->ticks - p->ticks / 2),
		 p->threads ? p->threads : 1, (unsigned long long)p->started, (unsigned long long)p->rss);
	tree_put(&m.tree, path, line);
}

static void put_process(const struct process *p)
{
	char path[64], line[512];

	put_stat(p);
	snprintf(path, sizeof path, "proc/%u/io", p->pid);
	snprintf(line, sizeof line, "rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: %llu\nwrite_bytes: %llu\n"
		 "cancelled_write_bytes: 5\n", (unsigned long long)p->read, (unsigned long long)p->write);
	tree_put(&m.tree, path, line);
}

static void drop_process(uint32_t pid)
{
	char path[96];

	snprintf(path, sizeof path, "%s/proc/%u", m.tree.path, pid);
	nftw(path, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void put_busy(uint64_t ticks)
{
	char line[128];

	/* all else goes on, too */
	snprintf(line, sizeof line, "cpu  %llu 2 3 %u %u 6 7 %u %u %u\ncpu0 1 1 1 1 1 1 1 1 1 1\n",
		 (unsigned long long)ticks, ++m.idle * 77, m.idle * 66, m.idle * 55, m.idle * 44, m.idle * 33);
	tree_put(&m.tree, "proc/stat", line);
}

/* A second passes; a walk, a scan. */
static void sample(void)
{
	struct tasks_view view = { .slots = m.proc.slot, .counters = &m.proc.counters };

	m.boot_ns += SECOND;
	proc_walk(&m.proc, m.boot_ns);
	view.readable = m.proc.high;
	m.sample.known = m.tasks.scans ? KNOWS_RATES : 0;
	m.sample.elapsed_ns = m.tasks.scans ? SECOND : 0;
	m.sample.cpus = 2;
	tasks_read(&m.tasks, &view, &m.options, &m.sample);
	tasks_conclude(&m.tasks, &view, &m.options, m.boot_ns, &m.sample);
	proc_complete(&m.proc, &m.sample);
}

static const struct top_entry *listed(const struct top_list *list, uint32_t pid)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->entry[i].pid == pid)
			return &list->entry[i];
	return NULL;
}

static int ms_of(uint32_t ppm)
{
	return (int)(ppm * 2ull / 1000);
}

/* ms of CPU time in the last second; -1: not listed. */
static int cpu_ms(uint32_t pid)
{
	const struct top_entry *e = listed(&m.sample.top_cpu, pid);

	return e ? ms_of(e->cpu_ppm) : -1;
}

static int rss_pages(uint32_t pid)
{
	const struct top_entry *e = listed(&m.sample.top_memory, pid);

	return e ? (int)(e->rss_bytes / 4096) : -1;
}

/* ---- one file */

#define REST " 1 1 1 0 -1 4194560 5 6 7 8 300 20 9 9 20 0 12 0 4567 1000000 89 1\n"

static void stat_lines(void **state)
{
	static const struct {
		const char *line;
		const char *name;	/* NULL: refused */
		char state;
		bool kernel;
	} rows[] = {
		{ "7 (bash) S" REST, "bash", 'S', false },
		{ "7 () S" REST, "", 'S', false },
		{ "7 (a b) R" REST, "a b", 'R', false },
		{ "7 (a) R 1 (b) D" REST, "a) R 1 (b", 'D', false },
		{ "7 ()))((() Z" REST, ")))(((", 'Z', false },
		{ "7 (new\nline) S" REST, "new\nline", 'S', false },
		{ "7 (\xff\xfe\x80) S" REST, "\xff\xfe\x80", 'S', false },
		{ "7 (123456789012345) S" REST, "123456789012345", 'S', false },
		{ "7 (a name that is much too long for a comm) S" REST, "a name that is ", 'S', false },
		{ "7 (kworker/0:1-ev) S" REST, "kworker/0:1-ev", 'S', false },
		{ "7 (kworker/u16:2-events_unbound) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 4 0 0 1\n",
		  "kworker/u16:2", 'I', true },
		{ "7 (kworker/0:1H+kblockd) D 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 4 0 0 1\n",
		  "kworker/0:1H", 'D', true },
		{ "7 (kworker/R-netns) I 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 4 0 0 1\n",
		  "kworker/R-netns", 'I', true },
		{ "7 (irq/24-00:1c-ahci) S 2 0 0 0 -1 69238880 0 0 0 0 0 0 0 0 20 0 1 0 4 0 0 1\n",
		  "irq/24-00:1c-ah", 'S', true },
		{ "", NULL, 0, false },
		{ "7", NULL, 0, false },
		{ "7 (", NULL, 0, false },
		{ "7 (bash", NULL, 0, false },
		{ "7 (bash)", NULL, 0, false },
		{ "7 (bash) ", NULL, 0, false },
		{ "7 (bash) S", NULL, 0, false },
		{ "7 (bash) SS" REST, NULL, 0, false },
		{ "(bash) S" REST, NULL, 0, false },
		{ "7 bash S" REST, NULL, 0, false },
		{ "7 (bash) S 1 1 1 0 -1 x 5 6 7 8 300 20 9 9 20 0 12 0 4567 1000000 89 1\n", NULL, 0, false },
		{ "7 (bash) S 1 1 1 0 -1 1 5 6 7 8 -3 20 9 9 20 0 12 0 4567 1000000 89 1\n", NULL, 0, false },
		{ "7 (bash) S 1 1 1 0 -1 1 5 6 7 8 3 20 9 9 20 0 4194305 0 4567 1000000 89 1\n", NULL, 0, false },
		{ "7 (bash) S 1 1 1 0 -1 1 5 6 7 8 3 20 9 9 20 0 1 0 99999999999999999999 1 89 1\n", NULL, 0, false },
		{ "7 (bash) S 1 1 1 0 -1 1 5 6 7 8 18446744073709551615 1 9 9 20 0 1 0 4 1 89 1\n", NULL, 0, false },
		{ "7 (bash) S 1 1 1 0 -1 1 5 6 7 8 3 20 9 9 20 0 12 0 4567 1000000 ", NULL, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size = strlen(rows[i].line);
		char *line = exact(rows[i].line, size);
		struct proc_stat stat;
		bool parsed = proc_parse_stat(line, size, &stat);

		if (parsed != (rows[i].name != NULL))
			print_error("row %zu: %s\n", i, rows[i].line);
		assert_int_equal(parsed, rows[i].name != NULL);
		if (parsed) {
			char name[TASK_NAME_SIZE] = "";

			strncpy(name, rows[i].name, sizeof name - 1);
			assert_memory_equal(stat.name, name, sizeof name);
			assert_int_equal(stat.state, rows[i].state);
			assert_int_equal(stat.kernel, rows[i].kernel);
		}
		free(line);
	}
}

/* Every length of a line: read to its end at most, and what is whole is right. */
static void stat_fields(void **state)
{
	static const char line[] = "7 (a) b) S" REST;
	struct proc_stat stat;

	(void)state;
	assert_true(proc_parse_stat(line, strlen(line), &stat));
	assert_int_equal(stat.cpu_ticks, 320);
	assert_int_equal(stat.threads, 12);
	assert_int_equal(stat.started, 4567);
	assert_int_equal(stat.rss_pages, 89);
	for (size_t size = 0; size < strlen(line); size++) {
		char *cut = exact(line, size);

		if (proc_parse_stat(cut, size, &stat))
			assert_int_equal(stat.started, 4567);
		free(cut);
	}
	assert_true(proc_parse_stat("1 (a) S 1 1 1 0 -1 0 5 6 7 8 3 2 9 9 20 0 1 0 4 1 -5 1\n", 55, &stat));
	assert_int_equal(stat.rss_pages, 0);
	assert_true(proc_parse_stat("1 (a) S 1 1 1 0 -1 0 5 6 7 8 3 2 9 9 20 0 1 0 4 1 4294967296 1\n", 63, &stat));
	assert_int_equal(stat.rss_pages, UINT32_MAX);
}

/* Bytes changed at random: no crash, no access outside. */
static void stat_of_any_bytes(void **state)
{
	static const char line[] = "4194304 (a) b) S" REST;
	uint32_t seed = 7;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		char *bytes = exact(line, sizeof line - 1);
		struct proc_stat stat;

		for (unsigned i = 0; i < 3; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[(seed >> 8) % (sizeof line - 1)] = (char)(seed >> 24);
		}
		proc_parse_stat(bytes, (seed >> 4) % sizeof line, &stat);
		free(bytes);
	}
}

/* ---- the walk */

static void counts_differences(void **state)
{
	struct process p = { .pid = 10, .name = "a", .threads = 3, .ticks = 5000, .rss = 70, .started = 50 };

	(void)state;
	put_process(&p);
	sample();
	assert_int_equal(m.sample.top_cpu.count, 0);
	assert_int_equal(rss_pages(10), 70);
	assert_int_equal(listed(&m.sample.top_memory, 10)->threads, 3);
	p.ticks += 30;
	p.rss = 80;
	put_process(&p);
	sample();
	assert_int_equal(cpu_ms(10), 300);
	assert_int_equal(listed(&m.sample.top_cpu, 10)->threads, 3);
	assert_int_equal(rss_pages(10), 80);
	sample();
	assert_int_equal(cpu_ms(10), -1);
	assert_true(m.proc.slot[0].stamp < m.proc.counters.jiffies);	/* the scan may pass it over */
	assert_int_equal(m.proc.high, 1);	/* what is no pid has no slot */
}

/* A slot counts from when the process got it: from its birth, if that was since the last walk. */
static void counts_newborns_from_zero_and_others_from_now(void **state)
{
	struct process born = { .pid = 10, .name = "born", .ticks = 20 };
	struct process old = { .pid = 11, .name = "old", .ticks = 9000, .write = 1 << 30, .started = 500 };

	(void)state;
	sample();
	born.started = m.boot_ns / PROC_TICK_NS;
	put_process(&born);
	put_process(&old);
	sample();
	assert_int_equal(cpu_ms(10), 200);
	assert_int_equal(cpu_ms(11), -1);
	assert_int_equal(m.sample.write_bytes_per_second, 0);
	assert_int_equal(m.proc.slot[0].used.cpu_ns + m.proc.slot[1].used.cpu_ns, 200 * MS);
}

static void counts_io(void **state)
{
	struct process p = { .pid = 10, .name = "dd", .read = 1 << 20, .write = 7 };

	(void)state;
	put_process(&p);
	sample();
	p.read += 5000;
	p.write += 300;
	put_process(&p);
	sample();
	assert_int_equal(listed(&m.sample.top_io, 10)->read_bytes_per_second, 5000);
	assert_int_equal(listed(&m.sample.top_io, 10)->write_bytes_per_second, 300);
	assert_int_equal(m.sample.read_bytes_per_second, 5000);
	assert_int_equal(m.proc.io_hidden, 0);
	p.read = 5;		/* counters do not go back; these do */
	put_process(&p);
	sample();
	assert_int_equal(m.sample.read_bytes_per_second, 0);
}

/* IO that cannot be read costs that, and what the block devices did stands for it. */
static void io_may_be_hidden(void **state)
{
	struct process p = { .pid = 10, .name = "other", .ticks = 100 }, own = { .pid = 11, .name = "own" };

	(void)state;
	put_stat(&p);
	put_process(&own);
	tree_put(&m.tree, "proc/vmstat", "nr_free_pages 1\npgpgin 100\npgpgout 200\npswpin 0\n");
	proc_close(&m.proc);	/* so that vmstat is found */
	free(m.memory);
	free(m.tasks_memory);
	begin(m.tree.root, CAPACITY);
	sample();
	assert_int_equal(m.proc.io_hidden, 1);
	p.ticks += 10;
	put_stat(&p);
	own.write = 30000;
	own.read = 50;
	put_process(&own);
	tree_put(&m.tree, "proc/vmstat", "nr_free_pages 1\npgpgin 104\npgpgout 210\npswpin 0\n");
	sample();
	assert_int_equal(cpu_ms(10), 100);
	assert_int_equal(m.sample.read_bytes_per_second, 4096);
	assert_int_equal(m.sample.write_bytes_per_second, 30000);	/* never less than is seen */
	own.read += 9000;
	put_process(&own);
	put_stat(&p);
	tree_put(&m.tree, "proc/vmstat", "pgpgin 105\npgpgout 211\n");
	sample();
	assert_int_equal(m.sample.read_bytes_per_second, 9000);
	assert_int_equal(m.sample.write_bytes_per_second, 1024);
	p.read = 1 << 30;	/* becomes readable: from now on */
	put_process(&p);
	sample();
	assert_int_equal(m.proc.io_hidden, 0);
	assert_int_equal(m.sample.read_bytes_per_second, 0);
	p.read += 100;
	put_process(&p);
	tree_put(&m.tree, "proc/vmstat", "pgpgin 999\npgpgout 999\n");
	sample();
	assert_int_equal(m.sample.read_bytes_per_second, 100);
}

static void the_vanished_are_dead(void **state)
{
	struct process p = { .pid = 10, .name = "gone", .ticks = 100 }, q = { .pid = 12, .name = "next" };

	(void)state;
	put_process(&p);
	sample();
	p.ticks += 20;
	put_process(&p);
	sample();
	assert_int_equal(cpu_ms(10), 200);
	drop_process(10);
	put_process(&q);
	sample();
	assert_true(m.proc.slot[0].flags & SLOT_DEAD);
	assert_int_equal(m.proc.slot[1].pid, 12);	/* the dead one's is not given out before it was scanned */
	assert_int_equal(rss_pages(10), -1);
	p.pid = 13;
	put_process(&p);
	sample();
	assert_int_equal(m.proc.slot[0].pid, 13);
	assert_int_equal(m.proc.slot[0].generation, 4);
	assert_int_equal(m.proc.high, 2);
}

/* Its directory is listed, its files are not there any more, or one of them. */
static void vanishes_while_it_is_read(void **state)
{
	struct process p = { .pid = 10, .name = "a", .ticks = 100 };

	(void)state;
	tree_put(&m.tree, "proc/11/", "");
	put_process(&p);
	sample();
	assert_int_equal(m.proc.high, 1);
	drop_process(10);
	tree_put(&m.tree, "proc/10/", "");
	sample();
	assert_true(m.proc.slot[0].flags & SLOT_DEAD);
}

/* Files that cannot be understood: the last record stands, and the process lives. */
static void unreadable_stat_keeps_the_record(void **state)
{
	struct process p = { .pid = 10, .name = "a", .ticks = 100, .rss = 5 };

	(void)state;
	put_process(&p);
	sample();
	tree_put(&m.tree, "proc/10/stat", "10 (a");
	sample();
	assert_int_equal(m.proc.slot[0].flags & SLOT_DEAD, 0);
	assert_int_equal(rss_pages(10), 5);
	p.ticks += 10;
	put_process(&p);
	sample();
	assert_int_equal(cpu_ms(10), 100);
	tree_put(&m.tree, "proc/10/io", "read_bytes: x\nwrite_bytes: 1\n");
	p.ticks += 10;
	put_stat(&p);
	sample();
	assert_int_equal(cpu_ms(10), 100);
	assert_int_equal(m.proc.io_hidden, 1);
}

/* Nobody dies because the directory cannot be read. */
static void an_unreadable_directory_kills_nobody(void **state)
{
	struct process p = { .pid = 10, .name = "a", .rss = 5 };
	int directory = m.proc.directory;

	(void)state;
	put_process(&p);
	sample();
	m.proc.directory = -1;
	sample();
	assert_int_equal(rss_pages(10), 5);
	assert_int_equal(m.proc.slot[0].flags & SLOT_DEAD, 0);
	m.proc.directory = directory;
}

static void a_pid_used_again_is_another_process(void **state)
{
	struct process p = { .pid = 10, .name = "old", .ticks = 700, .started = 5 };

	(void)state;
	put_process(&p);
	sample();
	p = (struct process){ .pid = 10, .name = "new", .ticks = 4, .started = m.boot_ns / PROC_TICK_NS + 1 };
	put_process(&p);
	sample();
	assert_true(m.proc.slot[0].flags & SLOT_DEAD);
	assert_int_equal(m.proc.slot[1].pid, 10);
	assert_int_equal(cpu_ms(10), 40);
	assert_string_equal(listed(&m.sample.top_cpu, 10)->name, "new");
	sample();
	assert_int_equal(m.proc.free, 1);
}

static void states(void **state)
{
	static const struct {
		char state;
		uint32_t threads;
		bool kernel;
		char blocked;	/* 0: not listed */
	} rows[] = {
		{ 'R', 1, false, 0 }, { 'S', 1, false, 0 }, { 'D', 1, false, 'D' }, { 'T', 1, false, 0 },
		{ 't', 1, false, 0 }, { 'I', 1, true, 0 },  { 'D', 1, true, 'D' },  { 'Z', 1, false, 'Z' },
		{ 'X', 0, false, 'Z' }, { 'Z', 2, false, 0 }, { 'P', 1, true, 0 }, { '?', 1, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct process p = { .pid = 10, .name = "p", .state = rows[i].state, .threads = rows[i].threads,
				     .kernel = rows[i].kernel };

		put_process(&p);
		m.options.no_kernel = false;
		sample();
		sample();	/* a zombie is one after a while */
		if (m.sample.blocked_count != (rows[i].blocked != 0))
			print_error("row %zu: %c\n", i, rows[i].state);
		assert_int_equal(m.sample.blocked_count, rows[i].blocked != 0);
		if (rows[i].blocked)
			assert_int_equal(m.sample.blocked[0].state, rows[i].blocked);
		m.options.no_kernel = true;
		sample();
		assert_int_equal(m.sample.blocked_count, rows[i].blocked && !rows[i].kernel);
		drop_process(10);
		sample();
	}
}

static void too_many_are_counted(void **state)
{
	struct process p = { .name = "p" };

	(void)state;
	for (p.pid = 100; p.pid < 100 + CAPACITY + 5; p.pid++)
		put_process(&p);
	sample();
	assert_int_equal(m.proc.high, CAPACITY);
	assert_int_equal(m.sample.dropped, 5);
	sample();
	assert_int_equal(m.sample.dropped, 5);	/* the same ones */
	assert_int_equal(m.sample.without_slot, 5);
	for (p.pid = 100; p.pid < 100 + CAPACITY + 5; p.pid++)
		drop_process(p.pid);
	sample();
	for (p.pid = 200; p.pid < 200 + CAPACITY; p.pid++)
		put_process(&p);
	sample();
	assert_int_equal(m.sample.dropped, 5);	/* there is room again */
	assert_int_equal(m.sample.without_slot, 0);
	assert_int_equal(m.sample.slots_used, CAPACITY);
	p.pid = 300;
	put_process(&p);
	sample();
	assert_int_equal(m.sample.dropped, 6);
}

/* All slots change hands again and again; records and lists stay whole. */
static void turnover(void **state)
{
	struct process p = { .name = "p", .ticks = 1 };

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		p.pid = 1000 + round * PROC_BUCKETS;	/* all in one bucket */
		p.started = m.boot_ns / PROC_TICK_NS;
		put_process(&p);
		if (round >= 3)
			drop_process(1000 + (round - 3) * PROC_BUCKETS);
		sample();
		assert_in_range(m.proc.high, 1, 4);
		if (round)
			assert_int_equal(cpu_ms(p.pid), 10);
	}
	assert_int_equal(m.sample.dropped, 0);
}

/* One of several in a bucket ends: the others stay who they are. */
static void a_bucket_loses_any(void **state)
{
	struct process p = { .name = "p" };

	(void)state;
	for (unsigned gone = 0; gone < 3; gone++) {
		for (unsigned i = 0; i < 3; i++) {
			p.pid = 5 + i * PROC_BUCKETS;
			p.ticks = 100 * (gone + 1);
			put_process(&p);
		}
		sample();
		drop_process(5 + gone * PROC_BUCKETS);
		sample();
		for (unsigned i = 0; i < 3; i++) {
			p.pid = 5 + i * PROC_BUCKETS;
			p.ticks = 100 * (gone + 1) + 20;
			if (i != gone)
				put_process(&p);
		}
		sample();
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(cpu_ms(5 + i * PROC_BUCKETS), i == gone ? -1 : 200);
		assert_int_equal(m.proc.high, 3);
	}
}

/* ---- what the slots do not say */

static void unseen_time_is_in_the_total(void **state)
{
	struct process p = { .pid = 10, .name = "a", .ticks = 100 };

	(void)state;
	put_process(&p);
	put_busy(1000);
	sample();
	p.ticks += 20;
	put_process(&p);
	put_busy(1090);	/* 700 ms that no process of the walk has used */
	sample();
	assert_int_equal(ms_of(m.sample.cpu_ppm), 900);
	assert_int_equal(ms_of(m.sample.other_cpu_ppm), 700);
	put_busy(1090);
	p.ticks += 3;		/* the ticks come later than the time: not twice */
	put_process(&p);
	sample();
	assert_int_equal(ms_of(m.sample.cpu_ppm), 30);
	put_busy(1093);
	sample();
	assert_int_equal(ms_of(m.sample.cpu_ppm), 0);
	p.ticks += 90;		/* a clock that lags for good does not hide what comes after it */
	put_process(&p);
	sample();
	put_busy(1093 + 30);
	sample();
	assert_int_equal(ms_of(m.sample.other_cpu_ppm), 300 - 40);
	put_busy(5);		/* another machine's */
	sample();
	assert_int_equal(ms_of(m.sample.cpu_ppm), 0);
	put_busy(1000000);
	p.ticks += 50;
	put_process(&p);
	sample();
	assert_int_equal(cpu_ms(10), 500);
	assert_int_equal(m.sample.cpu_ppm, PPM);
	assert_in_range(m.sample.other_cpu_ppm, 0, PPM);
}

static void the_kernel_counts_tasks(void **state)
{
	static const char *const bad[] = { "", "0.10 0.20", "0 0 0 3", "0 0 0 3/", "0 0 0 3/2 1\n",
					   "0 0 0 -1/2 1\n", "0 0 0 1/4294967296 1\n" };
	struct process p = { .pid = 10, .name = "a", .state = 'R' };

	(void)state;
	put_process(&p);
	tree_put(&m.tree, "proc/loadavg", "0.10 0.20 0.30 3/91 4711\n");
	sample();
	assert_int_equal(m.sample.tasks_total, 91);
	assert_int_equal(m.sample.tasks_running, 3);
	for (size_t i = 0; i < COUNT(bad); i++) {
		tree_put(&m.tree, "proc/loadavg", bad[i]);
		sample();
		assert_int_equal(m.sample.tasks_total, 1);
		assert_int_equal(m.sample.tasks_running, 1);
	}
}

static void needs_proc(void **state)
{
	struct proc proc = { 0 };
	struct tree tree;
	void *memory = calloc(1, proc_memory(1));

	(void)state;
	tree_make(&tree, NULL);
	assert_int_equal(proc_open(&proc, tree.root, memory, 1), -ENOENT);
	tree_put(&tree, "proc/", "");	/* nothing mounted */
	assert_int_equal(proc_open(&proc, tree.root, memory, 1), -ENOENT);
	assert_true(proc.directory < 0);
	tree_drop(&tree);
	free(memory);
}

/* ---- CPU clocks: of real processes, in a tree that says these are our pids */

static void wait_for_sleep(pid_t pid)
{
	char path[32], state = 0;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	while (state != 'S') {
		FILE *file = fopen(path, "r");

		usleep(1000);
		assert_int_equal(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
		fclose(file);
	}
}

static pid_t start_child(bool spins)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid && !spins)
		wait_for_sleep(pid);
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);	/* a test that fails leaves nothing behind */
	for (volatile unsigned round = 0;; round++)
		if (!spins)
			pause();
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void say_own_pids(void)
{
	char self[16];

	snprintf(self, sizeof self, "%d", getpid());
	assert_int_equal(symlinkat(self, m.proc.directory, "self"), 0);
	proc_close(&m.proc);
	free(m.memory);
	free(m.tasks_memory);
	begin(m.tree.root, CAPACITY);
	assert_true(m.proc.clocks);
}

/* What sleeps is not read again, until a refresh. */
static void sleepers_are_not_read(void **state)
{
	pid_t child = start_child(false);
	struct process p = { .pid = (uint32_t)child, .name = "a", .rss = 10 };

	(void)state;
	say_own_pids();
	put_process(&p);
	sample();
	p.rss = 20;
	put_process(&p);
	sample();
	assert_int_equal(rss_pages(p.pid), 10);
	assert_int_equal(m.proc.slot[0].stamp, 2 * (m.proc.walk - 1));	/* nor by the scan */
	proc_refresh(&m.proc);
	sample();
	assert_int_equal(rss_pages(p.pid), 20);
	p.rss = 30;
	put_process(&p);
	sample();
	assert_int_equal(rss_pages(p.pid), 20);
	p.pid = 1u << 22;	/* no such process: no clock, so it is read each time */
	put_process(&p);
	sample();
	p.rss = 40;
	put_process(&p);
	sample();
	assert_int_equal(rss_pages(p.pid), 40);
	end_child(child);
}

static void clocks_count_to_the_nanosecond(void **state)
{
	pid_t child = start_child(true);
	struct process p = { .pid = (uint32_t)child, .name = "spin", .rss = 10 };
	struct timespec from, to;
	clockid_t clock;
	int64_t ns;

	(void)state;
	assert_int_equal(clock_getcpuclockid(child, &clock), 0);
	say_own_pids();
	put_process(&p);
	sample();
	clock_gettime(clock, &from);
	usleep(200000);
	p.rss = 20;
	put_process(&p);
	sample();
	clock_gettime(clock, &to);
	ns = (to.tv_sec - from.tv_sec) * 1000000000ll + to.tv_nsec - from.tv_nsec;
	assert_in_range(m.proc.slot[0].used.cpu_ns, 1, ns + 50 * MS);
	assert_int_not_equal(m.proc.slot[0].used.cpu_ns % PROC_TICK_NS, 0);
	assert_int_equal(rss_pages(p.pid), 20);		/* it ran: it was read */
	end_child(child);
}

static void wake(int signal)
{
	(void)signal;
}

/* The child runs for a moment; then an interval is over. */
static void sample_after_moment(pid_t child, uint64_t more_ns)
{
	struct timespec before, now;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(child, &clock), 0);
	clock_gettime(clock, &before);
	kill(child, SIGUSR1);
	do {
		wait_for_sleep(child);
		clock_gettime(clock, &now);
	} while (!memcmp(&before, &now, sizeof now));
	m.boot_ns += more_ns;
	sample();
}

/* Of what ran for a moment only the clock is read, and the rest in every fourth walk, when blocked, or after long. */
static void moments_are_counted(void **state)
{
	pid_t child;
	struct process p = { .name = "brief", .rss = 1 };
	uint64_t seen_ns = 0, read_ns = 0;
	bool read;

	(void)state;
	signal(SIGUSR1, wake);
	child = start_child(false);
	p.pid = (uint32_t)child;
	say_own_pids();
	put_process(&p);
	sample();
	for (unsigned walk = 2; walk < 12; walk++) {
		p.rss = walk;
		put_process(&p);
		sample_after_moment(child, walk == 9 ? SECOND : 0);
		assert_true(m.proc.slot[0].used.cpu_ns > seen_ns);
		assert_non_null(listed(&m.sample.top_cpu, p.pid));
		seen_ns = m.proc.slot[0].used.cpu_ns;
		/* a machine so busy that moments are long has them read, too */
		read = walk % 4 == 0 || walk == 9 || seen_ns - read_ns >= MS;
		assert_int_equal(m.proc.slot[0].rss_pages == walk, read);
		read_ns = read ? seen_ns : read_ns;
	}
	p.state = 'D';
	p.rss = 100;
	put_process(&p);
	sample_after_moment(child, 0);		/* the twelfth */
	assert_int_equal(m.sample.blocked_count, 1);
	p.state = 'S';
	put_process(&p);
	sample_after_moment(child, 0);
	assert_int_equal(m.sample.blocked_count, 0);
	end_child(child);
}

/* The pids of another namespace mean other processes to our system calls. */
static void foreign_pids_have_no_clocks(void **state)
{
	(void)state;
	assert_false(m.proc.clocks);	/* no "self" */
	assert_int_equal(symlinkat("1234567", m.proc.directory, "self"), 0);
	proc_close(&m.proc);
	assert_int_equal(proc_open(&m.proc, m.tree.root, m.memory, CAPACITY), 0);
	assert_false(m.proc.clocks);
}

/* This machine's /proc: we are in it, and so is our child. */
static void the_real_one(void **state)
{
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t child = start_child(false);
	bool seen_self = false, seen_child = false;

	(void)state;
	proc_close(&m.proc);
	free(m.memory);
	free(m.tasks_memory);
	begin(root, 32768);
	sample();
	for (uint32_t i = 0; i < m.proc.high; i++) {
		seen_self |= m.proc.slot[i].pid == (uint32_t)getpid() && m.proc.slot[i].rss_pages > 0;
		seen_child |= m.proc.slot[i].pid == (uint32_t)child && m.proc.slot[i].tgid == (uint32_t)child;
	}
	assert_true(seen_self && seen_child);
	end_child(child);
	sample();
	for (uint32_t i = 0; i < m.proc.high; i++)
		if (m.proc.slot[i].pid == (uint32_t)child)
			assert_true(m.proc.slot[i].flags & SLOT_DEAD);
	close(root);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_lines),
		cmocka_unit_test(stat_fields),
		cmocka_unit_test(stat_of_any_bytes),
		TEST(counts_differences),
		TEST(counts_newborns_from_zero_and_others_from_now),
		TEST(counts_io),
		TEST(io_may_be_hidden),
		TEST(the_vanished_are_dead),
		TEST(vanishes_while_it_is_read),
		TEST(unreadable_stat_keeps_the_record),
		TEST(an_unreadable_directory_kills_nobody),
		TEST(a_pid_used_again_is_another_process),
		TEST(states),
		TEST(too_many_are_counted),
		TEST(turnover),
		TEST(a_bucket_loses_any),
		TEST(unseen_time_is_in_the_total),
		TEST(the_kernel_counts_tasks),
		cmocka_unit_test(needs_proc),
		TEST(sleepers_are_not_read),
		TEST(clocks_count_to_the_nanosecond),
		TEST(moments_are_counted),
		TEST(foreign_pids_have_no_clocks),
		TEST(the_real_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
