/* SPDX-License-Identifier: MIT */
/* The budget of sensors, by a clock that the test moves. */
#include "test/unit/unit.h"

#include "collect/budget.h"

enum { US = 1000, MS = 1000000 };

static const uint64_t second = 1000000000;
static uint64_t now_ns;

static uint64_t clock_of_test(void)
{
	return now_ns;
}

struct device {
	uint64_t cost_ns;
	unsigned reads;
	uint64_t last_sample;
};

/* `samples` samples, one a second, of these devices; what they spent in all. */
static uint64_t run(struct budget *budget, struct device *devices, unsigned count, unsigned samples)
{
	uint64_t spent_ns = 0;

	for (unsigned s = 0; s < samples; s++) {
		now_ns += second;
		budget_sample(budget, now_ns);
		for (unsigned i = 0; i < count; i++) {
			if (!budget_begin(budget, i))
				continue;
			now_ns += devices[i].cost_ns;
			spent_ns += devices[i].cost_ns;
			budget_end(budget, i);
			devices[i].reads++;
			devices[i].last_sample = s;
		}
	}
	return spent_ns;
}

static struct budget budget_of(uint64_t sample_ns, unsigned sharers)
{
	struct budget budget;

	now_ns = second;
	budget_open(&budget, sample_ns, clock_of_test);
	budget.sharers = sharers;
	return budget;
}

/* Whatever the mix: the average keeps the budget, the cheap are read every time, nobody is forgotten. */
static void mixes(void **state)
{
	static const struct {
		uint64_t budget_ns;
		unsigned count;
		struct device devices[6];
	} rows[] = {
		{ 200 * US, 1, { { 5 * US, 0, 0 } } },
		{ 200 * US, 2, { { 5 * US, 0, 0 }, { 5 * MS, 0, 0 } } },
		{ 200 * US, 4, { { 50 * US, 0, 0 }, { 50 * US, 0, 0 }, { 50 * US, 0, 0 }, { 20 * MS, 0, 0 } } },
		{ 200 * US, 3, { { 3 * MS, 0, 0 }, { 4 * MS, 0, 0 }, { 49 * MS, 0, 0 } } },
		{ 20 * US, 6, { { US, 0, 0 }, { 2 * US, 0, 0 }, { 3 * US, 0, 0 }, { 10 * US, 0, 0 }, { MS, 0, 0 }, { 40 * MS, 0, 0 } } },
	};

	(void)state;
	for (size_t r = 0; r < COUNT_OF(rows); r++) {
		enum { SAMPLES = 20000 };
		struct budget budget = budget_of(rows[r].budget_ns, rows[r].count);
		struct device devices[6];
		uint64_t spent_ns;

		print_message("row %zu\n", r);
		memcpy(devices, rows[r].devices, sizeof devices);
		/* the first two readings of each are on the house */
		run(&budget, devices, rows[r].count, 2);
		spent_ns = run(&budget, devices, rows[r].count, SAMPLES);
		assert_true(spent_ns <= rows[r].budget_ns * SAMPLES + BUDGET_SLOW_NS);
		for (unsigned i = 0; i < rows[r].count; i++) {
			print_message("  %u: %u reads\n", i, devices[i].reads);
			if (devices[i].cost_ns <= rows[r].budget_ns / rows[r].count)
				assert_int_equal(devices[i].reads, SAMPLES + 2);
			assert_true(devices[i].reads >= 2);
		}
		/* costly ones share by time: who takes longer is read less often */
		for (unsigned i = 0; i < rows[r].count; i++)
			for (unsigned j = 0; j < rows[r].count; j++)
				if (devices[i].cost_ns > devices[j].cost_ns)
					assert_true(devices[i].reads <= devices[j].reads + 2);
		/* and what can be spent is spent, where something costly waits */
		if (r > 0)
			assert_true(spent_ns >= rows[r].budget_ns * SAMPLES / 2);
	}
}

/* One reading that was slow by chance does not keep a device out for long. */
static void chance(void **state)
{
	struct budget budget = budget_of(200 * US, 2);
	struct device devices[2] = { { 5 * US, 0, 0 }, { 5 * US, 0, 0 } };
	unsigned reads;

	(void)state;
	run(&budget, devices, 2, 10);
	devices[0].cost_ns = 4 * MS;
	run(&budget, devices, 2, 1);
	devices[0].cost_ns = 5 * US;
	reads = devices[0].reads;
	run(&budget, devices, 2, 60);
	assert_int_equal(devices[0].reads, reads + 60);
	assert_int_equal(devices[1].reads, 71);
}

/* One that is slow every other time would pass for cheap: the budget holds it all the same. */
static void alternating(void **state)
{
	enum { SAMPLES = 20000 };
	struct budget budget = budget_of(200 * US, 2);
	struct device devices[2] = { { 5 * US, 0, 0 }, { 5 * US, 0, 0 } };
	uint64_t spent_ns = 0;

	(void)state;
	for (unsigned i = 0; i < SAMPLES; i++) {
		devices[0].cost_ns = devices[0].reads % 2 ? 5 * MS : 5 * US;
		spent_ns += run(&budget, devices, 2, 1);
	}
	assert_true(spent_ns <= 200ull * US * SAMPLES + BUDGET_SLOW_NS);
	assert_true(devices[0].reads > SAMPLES / 100 && devices[1].reads == SAMPLES);
}

/* 50 ms turn it off: told once, off for a minute, then two, at most an hour; in between it costs nothing. */
static void slow(void **state)
{
	struct budget budget = budget_of(200 * US, 2);
	uint64_t off_s[] = { 60, 120, 240, 480, 960, 1920, 3600, 3600 };

	(void)state;
	for (unsigned i = 0; i < COUNT_OF(off_s); i++) {
		uint64_t until_ns;

		budget_sample(&budget, now_ns);
		assert_true(budget_begin(&budget, 0));
		now_ns += 200 * MS;
		assert_int_equal(budget_end(&budget, 0), i == 0);
		until_ns = now_ns + off_s[i] * second;
		for (now_ns += second; now_ns < until_ns; now_ns += second)
			assert_false(budget_begin(&budget, 0));
		assert_true(budget_begin(&budget, 1));
		budget_end(&budget, 1);
	}
	/* just below is only costly */
	budget_renew(&budget, 0);
	assert_true(budget_begin(&budget, 0));
	now_ns += BUDGET_SLOW_NS - 1;
	assert_false(budget_end(&budget, 0));
	assert_int_equal(budget.account[0].off_until_ns, 0);
}

static void age(void **state)
{
	struct budget budget = budget_of(200 * US, 1);
	uint64_t read_ns;

	(void)state;
	assert_int_equal(budget_age_ms(&budget, 0, now_ns), 0);
	budget_begin(&budget, 0);
	budget_end(&budget, 0);
	read_ns = now_ns;
	assert_int_equal(budget_age_ms(&budget, 0, read_ns), 0);
	assert_int_equal(budget_age_ms(&budget, 0, read_ns + 1), 1);
	assert_int_equal(budget_age_ms(&budget, 0, read_ns + 1500 * MS), 1500);
	assert_int_equal(budget_age_ms(&budget, 0, UINT64_MAX), UINT32_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mixes),
		cmocka_unit_test(chance),
		cmocka_unit_test(alternating),
		cmocka_unit_test(slow),
		cmocka_unit_test(age),
	};

	return cmocka_run_group_tests_name("budget", tests, NULL, NULL);
}
