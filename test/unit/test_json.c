/* SPDX-License-Identifier: MIT */
#include "test/unit/check.h"
#include "test/unit/emit_sample.h"

#include "emit/json.h"

static char buffer[JSON_SIZE_MAX];

static void golden(void **state)
{
	struct sample busy = sample_busy(), bare = sample_bare();
	struct text t = text_over(buffer, sizeof buffer);

	(void)state;
	json_write(&t, &busy);
	check_golden(&t, "busy.json");
	t = text_over(buffer, sizeof buffer);
	json_write(&t, &bare);
	check_golden(&t, "bare.json");
}

/* One change each to the bare sample: what must be in the line, and what must not. */
static void fields(void **state)
{
	static const struct {
		const char *row, *have, *not;
	} rows[] = {
		{ "ratio above 1", "\"cpu_ratio\":1,", "4.29" },
		{ "ratio of zero", "\"cpu_ratio\":0,", "0.0" },
		{ "smallest ratio", "\"cpu_ratio\":0.000001,", NULL },
		{ "big integer", "\"sample_ns\":9007199254740991,", "1844" },
		{ "below zero", "\"temperature_celsius\":-3.05,", NULL },
		{ "no rates", "\"blocked\":[]", "elapsed_us" },
		{ "no memory", "\"cpus\":1", "\"memory\"" },
		{ "only io pressure", "\"pressure\":{\"io\":{\"some_ratio\":0.5}}", "full_ratio" },
		{ "ended", "\"top_memory\":[{\"ended\":7,\"name\":\"?\",\"rss_bytes\":0}]", "\"pid\"" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample s = sample_bare();
		struct text t = text_over(buffer, sizeof buffer - 1);

		switch (i) {
		case 0: s.known |= KNOWS_RATES; s.cpu_ppm = UINT32_MAX; break;
		case 1: s.known |= KNOWS_RATES; s.known &= ~(uint32_t)KNOWS_LOAD; break;
		case 2: s.known |= KNOWS_RATES; s.cpu_ppm = 1; break;
		case 3: s.cost_ns = UINT64_MAX; break;
		case 4: s.known |= KNOWS_TEMPERATURE; s.temperature_millicelsius = -3050; break;
		case 6: s.known &= ~(uint32_t)KNOWS_MEMORY; break;
		case 7:
			s.pressure[PRESSURE_IO] = (struct pressure){ true, false, 500000, 1 };
			break;
		case 8: s.top_memory.count = 1; s.top_memory.entry[0].ended = 7; break;
		default: break;
		}
		json_write(&t, &s);
		buffer[t.used] = '\0';
		if (!strstr(buffer, rows[i].have) || (rows[i].not && strstr(buffer, rows[i].not))) {
			print_error("%s: %s\n", rows[i].row, buffer);
			fail();
		}
		assert_int_equal(buffer[t.used - 1], '\n');
		assert_ptr_equal(strchr(buffer, '\n'), buffer + t.used - 1);
	}
}

static void worst(void **state)
{
	static const char fills[] = "\\\"&\xff ";
	size_t longest = 0;

	(void)state;
	for (size_t i = 0; i < sizeof fills; i++) {
		struct sample s = sample_worst(fills[i]);
		struct text t = text_over(buffer, sizeof buffer);

		json_write(&t, &s);
		assert_false(t.cut);
		if (t.used > longest)
			longest = t.used;
	}
	print_message("# longest: %zu of %d bytes\n", longest, JSON_SIZE_MAX);
	assert_true(longest > JSON_SIZE_MAX / 2);
}

static void write_sample(struct text *out, const void *what)
{
	json_write(out, what);
}

static void cut(void **state)
{
	struct sample busy = sample_busy();

	(void)state;
	check_every_size(write_sample, &busy, JSON_SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),
		cmocka_unit_test(fields),
		cmocka_unit_test(worst),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
