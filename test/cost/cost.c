/* SPDX-License-Identifier: MIT */
/*
 * What a sample takes, as numbers of instructions: steps of fixed work, each in a function of its own, which valgrind's
 * callgrind counts apart (cost.t). It is linked of the objects that ship, main.c's taken out, with their start and their
 * memcpy(), so that what is counted is what ships: no libc, no clock, no random number, and only files that cost.t makes.
 *
 *	cost FOLDER	the steps; FOLDER has a machine's proc and sys
 *	cost		what it was built with, which the figures depend on
 *
 * Preparation is not counted. A step ends with a look at what came of it, so that no work is counted that has not been done.
 */
#include "test/unit/emit_sample.h"

#include "collect/history.h"
#include "collect/proc.h"
#include "collect/sources.h"
#include "collect/tasks.h"
#include "emit/control.h"
#include "emit/face.h"
#include "emit/loop.h"
#include "emit/openmetrics.h"
#include "emit/screen.h"
#include "emit/term.h"
#include "emit/words.h"
#include "loader/sys.h"

enum { CPUS = 4, SLOTS_MAX = 4096, ROUNDS = 8, MARKS_LAST = 2, STDOUT = 1, STDERR = 2, PROCESSES_MAX = 512 };

static const uint64_t second_ns = 1000000000;

#define STEP static __attribute__((noinline)) void
#define MUST(condition) do { if (!(condition)) fail_at(#condition, __LINE__); } while (0)

_Noreturn static void fail_at(const char *condition, unsigned line)
{
	char data[256];
	struct text out = text_over(data, sizeof data);

	text_string(&out, "cost.c:");
	text_unsigned(&out, line);
	text_string(&out, ": this does not hold: ");
	text_string(&out, condition);
	text_char(&out, '\n');
	write_all(STDERR, out.data, out.used);
	sys_exit(1);
}

/* ---- a machine's tasks: as many as there are slots, two thirds of them processes of one thread */

static struct machine {
	uint32_t tasks;
	struct slot slots[SLOTS_MAX];
	_Alignas(8) uint8_t marks[SLOTS_MAX];
	struct running running[CPUS];
	struct counters counters;
	struct probe_passes passes;
	struct tasks_view view;
	struct tasks tasks_of;
	struct tasks_options options;
	struct sample sample;
	uint64_t now_ns;
	uint32_t next_pid, turn;
	_Alignas(64) char memory[SLOTS_MAX * 256];
} m;

static void write_name(struct slot *slot, const char *name, uint32_t number)
{
	struct text out = text_over(slot->name, sizeof slot->name - 1);

	memset(slot->name, 0, sizeof slot->name);
	text_string(&out, name);
	text_unsigned(&out, number);
}

/* Three tasks of nine are threads of the process before them, one is of the kernel. */
static void give_birth(uint32_t number)
{
	struct slot *slot = &m.slots[number];
	uint32_t kind = number % 9;

	*slot = (struct slot){
		.generation = slot->generation + 2,
		.pid = m.next_pid++,
		.rss_pages = kind == 8 ? 0 : 500 + number * 7919 % 90000,
		.state = number % 97 == 5 ? STATE_UNINTERRUPTIBLE : 1,
		.flags = kind == 8 ? SLOT_KERNEL : 0,
		.stamp = (uint32_t)m.counters.jiffies,
	};
	slot->tgid = kind > 0 && kind < 4 ? m.slots[number - kind].tgid : slot->pid;
	write_name(slot, kind == 8 ? "kworker/" : "process-", number % 50);
	m.counters.allocated++;
	m.marks[number] = slot_mark(m.view.epoch, slot->generation);
}

static void make_machine(uint32_t tasks)
{
	memset(&m, 0, sizeof m);
	m.tasks = tasks;
	m.next_pid = 100;
	m.counters.jiffies = 4294900000;
	m.view = (struct tasks_view){
		.slots = m.slots, .marks = m.marks, .readable = tasks, .running = m.running, .cpus = CPUS,
		.counters = &m.counters, .passes = &m.passes,
	};
	MUST(tasks <= SLOTS_MAX && tasks_memory(SLOTS_MAX, CPUS) <= sizeof m.memory);
	tasks_open(&m.tasks_of, m.memory, SLOTS_MAX, CPUS);
	m.options = (struct tasks_options){
		.top_rows = 5, .min_cpu_ppm = 10000, .min_rss_bytes = 250u << 20, .min_io_bytes_per_second = 1 << 20, .page_size = 4096,
		.no_kernel = true,
	};
	m.sample.cpus = CPUS;
	m.now_ns = second_ns;
	for (uint32_t i = 0; i < tasks; i++)
		give_birth(i);
}

/* A second later. */
static void move_on(bool all)
{
	m.view.epoch++;
	m.view.all = all;
	m.now_ns += second_ns;
	m.counters.jiffies += 250;
	m.sample.known = KNOWS_RATES;
	m.sample.elapsed_ns = second_ns;
	m.turn++;
}

static void run_task(uint32_t number)
{
	struct slot *slot = &m.slots[number];

	slot->used.cpu_ns += 1000 + (number * 7907 + m.turn * 104729) % 200 * 1000000;
	slot->used.read_bytes += number % 11 ? 0 : (number + m.turn) % 64 << 16;
	slot->rss_pages += slot->rss_pages && number % 13 == m.turn % 13;
	slot->state = number % 97 == m.turn % 97 ? STATE_UNINTERRUPTIBLE : number % 31 ? 1 : 0;
	slot->stamp = (uint32_t)m.counters.jiffies;
	m.marks[number] = slot_mark(m.view.epoch, slot->generation);
}

/* One task of so many runs, another one each time. */
static void run_share(uint32_t one_of)
{
	for (uint32_t i = m.turn % one_of; i < m.tasks; i += one_of)
		run_task(i);
	for (uint32_t i = 0; i < CPUS; i++) {
		uint32_t number = (i * 211 + m.turn * 17) % m.tasks;
		const struct slot *slot = &m.slots[number];

		m.running[i] = (struct running){
			.slot = number + 1, .generation = slot->generation, .pid = slot->pid, .tgid = slot->tgid,
			.rss_pages = slot->rss_pages, .used = slot->used, .other_ns = m.turn * 1000000ull,
		};
		m.running[i].used.cpu_ns += 3000000;
	}
}

/* Of the processes of one thread one of so many ends; its slot is given to another one a scan later. */
static void end_share(uint32_t one_of)
{
	for (uint32_t i = 0; i < m.tasks; i++) {
		struct slot *slot = &m.slots[i];

		if (slot->flags & SLOT_DEAD) {
			give_birth(i);
		} else if (i % 9 > 3 && (i / 9 + m.turn) % one_of == 0) {
			run_task(i);
			slot->state = STATE_DEAD;
			slot->flags |= SLOT_DEAD;
			m.counters.freed++;
		}
	}
}

static void read_tasks(void)
{
	tasks_read(&m.tasks_of, &m.view, &m.options, &m.sample);
}

static void conclude_tasks(void)
{
	tasks_conclude(&m.tasks_of, &m.view, &m.options, m.now_ns, &m.sample);
}

/* The same calls once for each kind and number of tasks, as callgrind counts by function. */
#define TASKS_STEPS(name)				\
	STEP step_scan_##name(void)			\
	{						\
		read_tasks();				\
		MUST(m.sample.tasks_total);		\
	}						\
	STEP step_lists_##name(void)			\
	{						\
		conclude_tasks();			\
		MUST(m.sample.slots == SLOTS_MAX);	\
	}
TASKS_STEPS(first_1000)
TASKS_STEPS(first_4000)
TASKS_STEPS(quiet_1000)
TASKS_STEPS(quiet_4000)
TASKS_STEPS(busy_1000)
TASKS_STEPS(busy_4000)
TASKS_STEPS(storm_1000)
TASKS_STEPS(storm_4000)
TASKS_STEPS(all_1000)
TASKS_STEPS(all_4000)

struct tasks_steps {
	void (*scan)(void), (*lists)(void);
};

#define TASKS_ROW(name) { step_scan_##name, step_lists_##name }

/* The first scan; one task of 20 runs; every second one; one of seven processes ends; all are read, as after a pass. */
static void count_tasks(uint32_t tasks, const struct tasks_steps steps[5])
{
	static const uint32_t shares[5] = { 20, 20, 2, 20, 20 };

	make_machine(tasks);
	steps[0].scan();
	steps[0].lists();
	MUST(m.sample.tasks_total == tasks && !m.sample.top_cpu.count && m.sample.top_memory.count == m.options.top_rows);
	for (unsigned kind = 1; kind < 5; kind++) {
		/* what the marks of the kind before, or of the births, are in the way of is not counted */
		for (unsigned round = 0; round < MARKS_LAST + ROUNDS; round++) {
			move_on(kind == 4);
			run_share(shares[kind]);
			if (kind == 3)
				end_share(7);
			if (round < MARKS_LAST) {
				read_tasks();
				conclude_tasks();
				continue;
			}
			steps[kind].scan();
			steps[kind].lists();
			MUST(m.sample.top_cpu.count && m.sample.blocked_count);
		}
	}
}

/* ---- files: the sources, and a walk over /proc, in a folder; a clock that says that each file takes a microsecond */

static uint64_t clock_now_ns;

static uint64_t count_clock(void)
{
	return clock_now_ns += 1000;
}

static struct sources sources;

STEP step_source_system(void) { sources_table[0].read(&sources, &m.sample); }
STEP step_source_memory(void) { sources_table[1].read(&sources, &m.sample); }
STEP step_source_pressure(void) { sources_table[2].read(&sources, &m.sample); }

STEP step_source_sensors(void)
{
	sources_begin(&sources);
	for (unsigned i = SOURCES_SENSORS; i < SOURCES_COUNT; i++)
		sources_table[i].read(&sources, &m.sample);
}

static void count_sources(int root)
{
	static const struct sources_choice choice = { 0 };

	sources_open(&sources, root, 4096, &choice, count_clock);
	for (unsigned round = 0; round < ROUNDS; round++) {
		clock_now_ns += second_ns;
		m.sample.throttled_count = m.sample.gpu_count = m.sample.battery_count = 0;
		m.sample.known = KNOWS_RATES;
		step_source_system();
		step_source_memory();
		step_source_pressure();
		step_source_sensors();
	}
	MUST(m.sample.cpus == 8 && m.sample.known & KNOWS_LOAD && m.sample.known & KNOWS_MEMORY && m.sample.known & KNOWS_SWAP_RATES);
	MUST(m.sample.pressure[PRESSURE_IO].full_known && m.sample.known & KNOWS_TEMPERATURE && m.sample.known & KNOWS_FREQUENCY);
	MUST(m.sample.known & KNOWS_PROFILE && m.sample.gpu_count == 1 && m.sample.battery_count == 1);
}

static struct proc proc;

STEP step_walk_first(void) { proc_walk(&proc, clock_now_ns); }
STEP step_walk(void) { proc_walk(&proc, clock_now_ns); }
STEP step_walk_complete(void) { proc_complete(&proc, &m.sample); }

static void count_walks(int root)
{
	MUST(!proc_open(&proc, root, m.memory, PROCESSES_MAX));
	memset(m.memory, 0, sizeof m.memory);
	for (unsigned round = 0; round < ROUNDS; round++) {
		clock_now_ns += second_ns;
		if (round)
			step_walk();
		else
			step_walk_first();
		step_walk_complete();
	}
	MUST(proc.high == 200 && m.sample.tasks_total == 200);
	proc_close(&proc);
}

/* ---- what is written of a sample */

static char line[FACE_SIZE_MAX];
static struct options options;

static void show(const char *face, const struct sample *s)
{
	struct text out = text_over(line, sizeof line);

	face_find(face)->write(&out, s, &options);
	MUST(out.used && !out.cut);
}

static void draw(const struct sample *s, uint16_t columns, uint16_t rows)
{
	struct screen screen = { .rows = rows, .columns = columns, .colour = true };
	struct text out = text_over(line, sizeof line);

	screen_write(&out, s, &options, &screen);
	MUST(out.used && !out.cut);
}

static struct sample busy, bare;
static struct history history;

STEP step_history(void) { history_add(&history, &busy); }
STEP step_waybar(void) { show("waybar", &busy); }
STEP step_waybar_bare(void) { show("waybar", &bare); }
STEP step_i3bar(void) { show("i3bar", &busy); }
STEP step_json(void) { show("json", &busy); }
STEP step_term(void) { show("term", &busy); }
STEP step_text(void) { show("text", &busy); }
STEP step_openmetrics(void) { show("openmetrics", &busy); }
STEP step_openmetrics_names(void) { show("openmetrics", &busy); }
STEP step_screen_80x24(void) { draw(&busy, 80, 24); }
STEP step_screen_200x50(void) { draw(&busy, 200, 50); }

static void parse_options(char *text)
{
	char *argv[] = { (char[]){ "rstat" }, (char[]){ "--text" }, text, NULL };
	char message[OPTIONS_TEXT_SIZE_MAX];
	struct text error = text_over(message, sizeof message);

	MUST(!options_parse(&options, text ? 3 : 1, argv, &error));
}

/* All that --list names. */
static char *every_placeholder(void)
{
	static char template[512];
	static char list[OPTIONS_TEXT_SIZE_MAX];
	struct text named = text_over(list, sizeof list), out = text_over(template, sizeof template - 1);

	options_list(&named);
	MUST(!named.cut);
	for (size_t i = 0; i < named.used; i++) {
		if (list[i] == '{')
			while (list[i] != '}')
				text_char(&out, list[i++]);
		if (list[i] == '}')
			text_string(&out, "} ");
	}
	MUST(!out.cut && out.used > 300);
	return template;
}

static void count_faces(void)
{
	busy = sample_busy();
	bare = sample_bare();
	for (unsigned round = 0; round < ROUNDS; round++) {
		parse_options(NULL);
		step_history();
		step_waybar();
		step_waybar_bare();
		step_i3bar();
		step_json();
		step_term();
		step_openmetrics();
		options.names = true;
		step_openmetrics_names();
		parse_options(every_placeholder());
		step_text();
		term_set(&options);
		step_screen_80x24();
		step_screen_200x50();
	}
}

int main(int argc, char **argv, char **envp)
{
	static const struct tasks_steps thousand[] = {
		TASKS_ROW(first_1000), TASKS_ROW(quiet_1000), TASKS_ROW(busy_1000), TASKS_ROW(storm_1000), TASKS_ROW(all_1000),
	};
	static const struct tasks_steps four_thousand[] = {
		TASKS_ROW(first_4000), TASKS_ROW(quiet_4000), TASKS_ROW(busy_4000), TASKS_ROW(storm_4000), TASKS_ROW(all_4000),
	};
	static const char built[] = COST_COMPILER " " __VERSION__ " " COST_FLAGS "\n";
	int root;

	(void)envp;
	if (argc < 2)
		return write_all(STDOUT, built, sizeof built - 1) != 0;
	root = sys_open(argv[1], SYS_O_RDONLY);
	MUST(root >= 0);
	count_tasks(1000, thousand);
	count_tasks(4000, four_thousand);
	count_sources(root);
	count_walks(root);
	count_faces();
	return 0;
}
