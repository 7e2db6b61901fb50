/* SPDX-License-Identifier: MIT */
/* When a sample reads the tasks again, and when it makes a pass over them; the rung is played by the test. */
#include "test/unit/tree.h"
#include "test/unit/unit.h"

#include "emit/monitor.h"

#include <time.h>

enum { SLOTS = 16, MS = 1000000 };

static struct {
	struct monitor monitor;
	struct slot slot[SLOTS];
	struct counters counters;
	void *memory;
	struct tree tree;
	unsigned late;		/* so many of the first readings are interrupted */
	unsigned begun, completed, passes;
	int error;		/* of all readings */
	uint64_t last_ns, last_unix_ms;	/* when the last reading began */
} m;

static void interrupt_us(long us)
{
	nanosleep(&(struct timespec){ .tv_nsec = us * 1000 }, NULL);
}

static int begin(struct monitor *monitor)
{
	struct timespec now;

	monitor->view.readable = SLOTS;
	clock_gettime(CLOCK_REALTIME, &now);
	m.last_ns = monitor_clock();
	m.last_unix_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / MS;
	if (m.begun++ < m.late)
		interrupt_us(30000);	/* of an interval of 1 s more than a hundredth */
	return m.error;
}

static void complete(struct monitor *monitor)
{
	(void)monitor;
	m.completed++;
}

static void refresh(struct monitor *monitor)
{
	(void)monitor;
	m.passes++;
}

static const struct rung quick = { .step = "test", .begin = begin, .complete = complete, .refresh = refresh };
static const struct rung slow = {
	.step = "test", .slow = true, .begin = begin, .complete = complete, .refresh = refresh
};

static int setup(void **state)
{
	static const struct tree_file files[] = { { "proc/", NULL }, { NULL, NULL } };

	(void)state;
	memset(&m, 0, sizeof m);
	tree_make(&m.tree, files);
	m.memory = calloc(1, tasks_memory(SLOTS, 0));
	assert_non_null(m.memory);
	tasks_open(&m.monitor.tasks, m.memory, SLOTS, 0);
	sources_open(&m.monitor.sources, m.tree.root, 4096, &(struct sources_choice){ 0 }, monitor_clock);
	m.monitor.rung = &quick;
	m.monitor.view = (struct tasks_view){ .slots = m.slot, .counters = &m.counters };
	m.monitor.tasks_options = (struct tasks_options){ .top_rows = 5, .page_size = 4096 };
	m.monitor.sample.interval_ms = 1000;
	m.monitor.refreshed_ns = monitor_clock();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(m.memory);
	tree_drop(&m.tree);
	return 0;
}

/* Fails: READINGS_MAX = 1 (emit/monitor.c): one reading, whose numbers are later than its clock. */
static void interrupted_readings_are_done_again(void **state)
{
	(void)state;
	m.late = 2;
	monitor_take(&m.monitor);
	assert_true(m.begun >= 3);	/* the third may have been interrupted by the machine */
	assert_int_equal(m.completed, 1);
	/* the sample is of the last reading */
	assert_true(m.monitor.sampled_ns <= m.last_ns);
	assert_true(m.last_ns - m.monitor.sampled_ns < 30 * MS);
}

/* By both clocks. Fails: time_unix_ms set after the reading (emit/monitor.c). */
static void the_time_is_when_the_tasks_were_read(void **state)
{
	(void)state;
	m.late = 1000;
	monitor_take(&m.monitor);
	assert_true(m.monitor.sample.time_unix_ms <= m.last_unix_ms);
	assert_true(m.last_unix_ms - m.monitor.sample.time_unix_ms < 30);
}

static void not_for_ever(void **state)
{
	(void)state;
	m.late = 1000;
	monitor_take(&m.monitor);
	assert_int_equal(m.begun, 8);
	assert_int_equal(m.completed, 1);
}

/* What was not there to be read comes in the next sample, which then has more than its interval's. Fails: begin_sample() that
 * forgets `incomplete`, or looks at the error alone (emit/monitor.c). */
static void no_rates_of_what_was_not_read(void **state)
{
	static const struct {
		int error;
		bool rates;
	} samples[] = { { 0, false }, { 0, true }, { -12, false }, { 0, false }, { 0, true } };

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		m.error = samples[i].error;
		monitor_take(&m.monitor);
		assert_int_equal((m.monitor.sample.known & KNOWS_RATES) != 0, samples[i].rates);
	}
}

/* A walk takes so long by itself. */
static void what_is_slow_is_read_once(void **state)
{
	(void)state;
	m.monitor.rung = &slow;
	m.late = 1000;
	monitor_take(&m.monitor);
	assert_int_equal(m.begun, 1);
}

/* Tasks that wait for a slot get it by passes, which come every second while there are free ones. Fails: without_slot or
 * slots_used left out of refresh_if_due(). */
static void passes_for_those_without_a_slot(void **state)
{
	static const struct {
		uint64_t without, used;
		unsigned passes;
	} rows[] = { { 0, 10, 0 }, { 3, SLOTS, 0 }, { 3, 10, 1 } };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		m.passes = 0;
		monitor_take(&m.monitor);
		m.monitor.sample.without_slot = rows[i].without;
		m.monitor.sample.slots_used = rows[i].used;
		m.monitor.sample.slots = SLOTS;
		m.monitor.refreshed_ns = monitor_clock() - 1000ull * MS;
		monitor_take(&m.monitor);
		assert_int_equal(m.passes, rows[i].passes);
	}
}

/* Fails: refresh_if_due() without its body. */
static void a_pass_every_ten_seconds(void **state)
{
	(void)state;
	monitor_take(&m.monitor);
	assert_int_equal(m.passes, 0);
	m.monitor.refreshed_ns -= 10000ull * MS;
	monitor_take(&m.monitor);
	assert_int_equal(m.passes, 1);
	monitor_take(&m.monitor);
	assert_int_equal(m.passes, 1);
}

/* A zombie that no pass has met since it died: one that was freed unseen is none. */
static void a_pass_for_a_new_zombie(void **state)
{
	(void)state;
	m.slot[0] = (struct slot){ .pid = 7, .tgid = 7, .generation = 2, .state = STATE_DEAD, .name = "zombie" };
	monitor_take(&m.monitor);
	interrupt_us(110000);	/* as long as a parent may take */
	monitor_take(&m.monitor);
	assert_int_equal(m.monitor.sample.blocked_count, 1);
	assert_int_equal(m.passes, 0);
	m.monitor.refreshed_ns -= 1000ull * MS;
	monitor_take(&m.monitor);
	assert_int_equal(m.passes, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(interrupted_readings_are_done_again, setup, teardown),
		cmocka_unit_test_setup_teardown(the_time_is_when_the_tasks_were_read, setup, teardown),
		cmocka_unit_test_setup_teardown(not_for_ever, setup, teardown),
		cmocka_unit_test_setup_teardown(no_rates_of_what_was_not_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_slow_is_read_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pass_every_ten_seconds, setup, teardown),
		cmocka_unit_test_setup_teardown(passes_for_those_without_a_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pass_for_a_new_zombie, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
