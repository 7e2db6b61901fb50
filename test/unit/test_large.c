/* SPDX-License-Identifier: MIT */
/* The list by memory against one that is made of all processes. */
#include "collect/large.h"
#include "collect/tasks.h"
#include "test/unit/unit.h"

enum { COUNT = 1000, ROUNDS = 20000 };

static struct tasks_process process[COUNT];
static struct large large;
static struct top top, expected;
static uint32_t seed;

static uint32_t any(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % below;
}

static void begin(uint32_t rows)
{
	struct tasks_options options = { .top_rows = rows, .page_size = 4096 };
	struct sample sample = { .cpus = 1 };

	top_begin(&top, &options, &sample);
	expected = top;
}

static void check(void)
{
	large_offer(&large, process, COUNT, &top);
	for (uint32_t i = 0; i < COUNT; i++)
		if (process[i].tgid)
			top_add_memory(&expected, &process[i]);
	assert_int_equal(top.memory.rows, expected.memory.rows);
	for (uint32_t i = 0; i < top.memory.rows; i++) {
		const struct tasks_process *listed = top.memory.row[i].process;

		/* of equal ones it may be others */
		assert_int_equal(top.memory.row[i].key, expected.memory.row[i].key);
		assert_int_equal(listed->rss_pages, expected.memory.row[i].key);
		assert_true(listed->tgid);
		for (uint32_t j = 0; j < i; j++)
			assert_ptr_not_equal(top.memory.row[j].process, listed);
	}
	assert_in_range(large.members, 0, LARGE_MAX);
	for (uint32_t i = 0; i < COUNT; i++) {
		uint32_t times = 0;

		for (uint32_t j = 0; j < large.members; j++)
			times += large.member[j] == i;
		if (process[i].tgid)
			assert_int_equal(times, process[i].large);
		else
			assert_int_equal(times, 0);
	}
}

/* One process changes: as the collector does, it is noted; those that end are not, and their entry is another's only after that. */
static void change(uint32_t span, uint32_t round)
{
	uint32_t i = any(COUNT);

	if (any(8) == 0) {
		process[i].tgid = 0;
		process[i].rss_stamp = round;
		return;
	}
	if (!process[i].tgid && process[i].rss_stamp == round)
		return;
	if (!process[i].tgid)
		process[i] = (struct tasks_process){ .tgid = i + 1, .threads = 1 };
	process[i].rss_pages = any(span);
	large_note(&large, process, i);
}

/* Few values, so that many are equal; many; and those that all fall, grow, or end. */
static void run(uint32_t span, uint32_t changes)
{
	memset(process, 0, sizeof process);
	memset(&large, 0, sizeof large);
	seed = span;
	for (uint32_t round = 1; round < ROUNDS / changes; round++) {
		for (uint32_t i = any(changes + 1); i; i--)
			change(round % 50 == 49 ? 2 : round % 50 == 48 ? 2 * span : span, round);
		begin(1 + round % TOP_MAX);
		check();
	}
}

static void is_what_all_would_give(void **state)
{
	(void)state;
	run(4, 10);
	run(100, 40);
	run(100000, 10);
	run(1000000, 400);
}

/* Nothing is chosen anew as long as enough are kept: the list does not cost what all cost. */
static void is_kept(void **state)
{
	(void)state;
	memset(process, 0, sizeof process);
	memset(&large, 0, sizeof large);
	for (uint32_t i = 0; i < COUNT; i++) {
		process[i] = (struct tasks_process){ .tgid = i + 1, .threads = 1, .rss_pages = 1000 + i };
		large_note(&large, process, i);
	}
	assert_true(large.full);
	begin(TOP_MAX);
	check();
	assert_int_equal(large.members, LARGE_KEPT);
	assert_int_equal(large.floor, 1000 + COUNT - LARGE_KEPT);
	for (uint32_t i = 0; i < LARGE_KEPT - TOP_MAX; i++) {
		process[COUNT - 1 - i].rss_pages = 1;
		begin(TOP_MAX);
		check();
		assert_int_equal(large.floor, 1000 + COUNT - LARGE_KEPT);
	}
	process[COUNT - LARGE_KEPT].rss_pages = 1;	/* one too many */
	begin(TOP_MAX);
	check();
	assert_int_equal(large.floor, 1000 + COUNT - 2 * LARGE_KEPT + TOP_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_what_all_would_give),
		cmocka_unit_test(is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
