/* SPDX-License-Identifier: MIT */
/* What signals, clicks and keys change. */
#include "test/unit/check.h"

#include "collect/sample.h"
#include "emit/control.h"

static void intervals(void **state)
{
	static const struct {
		uint32_t from, next, faster, slower;
	} rows[] = {
		{ 1000, 500, 500, 2000 }, { 500, 250, 250, 1000 },   { 250, 100, 100, 500 },
		{ 100, 2000, 100, 250 },  { 2000, 1000, 1000, 2000 }, { 10, 1000, 10, 100 },
		{ 333, 1000, 250, 500 },  { 60000, 1000, 2000, 60000 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct options o = { .interval_ms = rows[i].from };

		control_next_interval(&o);
		assert_int_equal(o.interval_ms, rows[i].next);
		o.interval_ms = rows[i].from;
		control_faster(&o);
		assert_int_equal(o.interval_ms, rows[i].faster);
		o.interval_ms = rows[i].from;
		control_slower(&o);
		assert_int_equal(o.interval_ms, rows[i].slower);
	}
}

static void lists(void **state)
{
	static const enum list order[] = { LIST_CPU, LIST_MEMORY, LIST_IO, LIST_ALL };
	struct options o = { .top_rows = 5, .kernel_threads = true };

	(void)state;
	assert_int_equal(control_rows(&o), 5);
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		control_next_list(&o);
		assert_int_equal(o.list, order[i]);
		assert_int_equal(control_rows(&o), order[i] == LIST_ALL ? 5 : 15);
	}
	o.top_rows = 0;
	o.list = LIST_CPU;
	assert_int_equal(control_rows(&o), 0);
	o.top_rows = TOP_MAX;
	assert_int_equal(control_rows(&o), TOP_MAX);
	control_kernel_threads(&o);
	assert_false(o.kernel_threads);
	control_kernel_threads(&o);
	assert_true(o.kernel_threads);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(intervals), cmocka_unit_test(lists) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
