/* SPDX-License-Identifier: MIT */
/* Columns of a second at least, each the mean of what lies in it. */
#include "test/unit/check.h"

#include "collect/history.h"
#include "emit/format.h"

static struct history history;
static struct sample s;

static int begin(void **state)
{
	(void)state;
	memset(&history, 0, sizeof history);
	memset(&s, 0, sizeof s);
	s.known = KNOWS_RATES | KNOWS_MEMORY;
	s.memory_total_bytes = UINT64_C(1) << 30;
	return 0;
}

static void add(uint64_t ms, uint32_t cpu_percent, uint64_t memory_percent)
{
	s.elapsed_ns = ms * 1000000;
	s.cpu_ppm = cpu_percent * 10000;
	s.memory_used_bytes = s.memory_total_bytes / 100 * memory_percent;
	history_add(&history, &s);
}

static void seconds(void **state)
{
	(void)state;
	add(999, 50, 25);	/* a timer that is a little early */
	assert_int_equal(s.cpu_history.count, 1);
	assert_int_equal(s.cpu_history.level[0], 128);
	assert_in_range(s.memory_history.level[0], 63, 64);
	add(5000, 100, 100);	/* a longer interval is a column, too */
	assert_int_equal(s.cpu_history.count, 2);
	assert_int_equal(s.cpu_history.level[1], 255);
	assert_in_range(s.memory_history.level[1], 254, 255);
}

static void parts(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 9; i++)
		add(100, i < 3 ? 100 : 0, 50);
	assert_int_equal(s.cpu_history.count, 0);
	add(100, 0, 50);
	assert_int_equal(s.cpu_history.count, 1);
	assert_int_equal(s.memory_history.count, 1);
	assert_in_range(s.cpu_history.level[0], 76, 77);	/* 30% */
	add(1000, 0, 50);
	assert_int_equal(s.cpu_history.level[1], 0);	/* nothing is left of the column before */
}

/* What is not known is no column; the oldest makes room. */
static void bounds(void **state)
{
	(void)state;
	s.known = KNOWS_MEMORY;
	add(1000, 50, 50);
	assert_int_equal(s.cpu_history.count, 0);
	s.known = KNOWS_RATES;
	for (unsigned i = 0; i < HISTORY_MAX + 3; i++)
		add(1000, i < 3 ? 100 : i % 2, 50);
	assert_int_equal(s.cpu_history.count, HISTORY_MAX);
	assert_in_range(s.cpu_history.level[0], 0, 2);
	assert_in_range(s.cpu_history.level[HISTORY_MAX - 2], 2, 2);
	assert_int_equal(s.cpu_history.level[HISTORY_MAX - 1], 0);
	assert_int_equal(s.memory_history.level[0], 0);
	memset(&s.memory_total_bytes, 0xff, sizeof s.memory_total_bytes);
	add(UINT64_MAX / 1000000, 100, 100);	/* asleep for centuries */
	assert_int_equal(s.cpu_history.level[HISTORY_MAX - 1], 255);
}

static void graph(void **state)
{
	static const struct {
		unsigned width;
		const char *want;
	} rows[] = {
		{ 0, "" }, { 1, "█" }, { 3, "▂▇█" }, { 6, " ▁▁▂▇█" },
	};
	const struct series series = { 5, { 0, 31, 32, 223, 224 } };
	struct series full;
	char data[3 * HISTORY_MAX];
	struct text t = text_over(data, sizeof data);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		t.used = 0;
		format_graph(&t, &series, rows[i].width);
		check_text(&t, rows[i].want, "graph");
	}
	memset(&full, 0xff, sizeof full);
	t.used = 0;
	format_graph(&t, &full, HISTORY_MAX);
	assert_int_equal(t.used, sizeof data);
	assert_false(t.cut);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(seconds, begin),
		cmocka_unit_test_setup(parts, begin),
		cmocka_unit_test_setup(bounds, begin),
		cmocka_unit_test(graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
