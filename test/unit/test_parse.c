/* SPDX-License-Identifier: MIT */
#include "test/unit/tree.h"

#include "collect/parse.h"

enum { UNTOUCHED = 4711 };

struct number_row {
	const char *text;
	bool ok;
	uint64_t value;
	size_t consumed;
};

static void numbers(void **state)
{
	static const struct number_row rows[] = {
		{ "0", true, 0, 1 },
		{ "7 kB", true, 7, 1 },
		{ "007x", true, 7, 3 },
		{ "18446744073709551615", true, UINT64_MAX, 20 },
		{ "18446744073709551616", false, 0, 0 },
		{ "99999999999999999999", false, 0, 0 },
		{ "184467440737095516150", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "-1", false, 0, 0 },
		{ "+1", false, 0, 0 },
		{ " 1", false, 0, 0 },
		{ "x1", false, 0, 0 },
		{ ".5", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *copy = exact(rows[i].text, strlen(rows[i].text));
		struct parse p = parse_over(copy, strlen(rows[i].text));
		uint64_t value = UNTOUCHED;

		print_message("u64 '%s'\n", rows[i].text);
		assert_int_equal(parse_u64(&p, &value), rows[i].ok);
		assert_int_equal(value, rows[i].ok ? rows[i].value : UNTOUCHED);
		assert_int_equal(p.at - copy, rows[i].consumed);
		free(copy);
	}
}

static void signed_numbers(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
		size_t consumed;
	} rows[] = {
		{ "-5000\n", true, -5000, 5 },
		{ "42", true, 42, 2 },
		{ "-0", true, 0, 2 },
		{ "9223372036854775807", true, INT64_MAX, 19 },
		{ "-9223372036854775808", true, INT64_MIN, 20 },
		{ "9223372036854775808", false, 0, 0 },
		{ "-9223372036854775809", false, 0, 0 },
		{ "-18446744073709551616", false, 0, 0 },
		{ "-", false, 0, 0 },
		{ "--1", false, 0, 0 },
		{ "- 1", false, 0, 0 },
		{ "", false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *copy = exact(rows[i].text, strlen(rows[i].text));
		struct parse p = parse_over(copy, strlen(rows[i].text));
		int64_t value = UNTOUCHED;

		print_message("i64 '%s'\n", rows[i].text);
		assert_int_equal(parse_i64(&p, &value), rows[i].ok);
		assert_int_equal(value, rows[i].ok ? rows[i].value : UNTOUCHED);
		assert_int_equal(p.at - copy, rows[i].consumed);
		free(copy);
	}
}

static void fixed_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned decimals;
		bool ok;
		uint64_t value;
		size_t consumed;
	} rows[] = {
		{ "12.34 avg60", 2, true, 1234, 5 },
		{ "12", 2, true, 1200, 2 },
		{ "12.3", 2, true, 1230, 4 },
		{ "12.349", 2, true, 1234, 6 },
		{ "12.34.5", 2, true, 1234, 5 },
		{ "0.00", 2, true, 0, 4 },
		{ "0.999", 0, true, 0, 5 },
		{ "1", 19, true, 10000000000000000000u, 1 },
		{ "2", 19, false, 0, 0 },
		{ "18446744073709551615.9", 0, true, UINT64_MAX, 22 },
		{ "184467440737095516.15", 2, true, UINT64_MAX, 21 },
		{ "184467440737095516.16", 2, false, 0, 0 },
		{ "18446744073709551615.1", 1, false, 0, 0 },
		{ "12.", 2, false, 0, 0 },
		{ "12.x", 2, false, 0, 0 },
		{ ".5", 2, false, 0, 0 },
		{ "-1.5", 2, false, 0, 0 },
		{ "", 2, false, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *copy = exact(rows[i].text, strlen(rows[i].text));
		struct parse p = parse_over(copy, strlen(rows[i].text));
		uint64_t value = UNTOUCHED;

		print_message("fixed '%s' %u\n", rows[i].text, rows[i].decimals);
		assert_int_equal(parse_fixed(&p, rows[i].decimals, &value), rows[i].ok);
		assert_int_equal(value, rows[i].ok ? rows[i].value : UNTOUCHED);
		assert_int_equal(p.at - copy, rows[i].consumed);
		free(copy);
	}
}

static void lines(void **state)
{
	static const char text[] = "one\n\ntwo three\nfour";
	char *copy = exact(text, sizeof text - 1);
	struct parse p = parse_over(copy, sizeof text - 1), line;

	(void)state;
	assert_true(parse_line(&p, &line));
	assert_int_equal(parse_left(&line), 3);
	assert_true(parse_line(&p, &line));
	assert_int_equal(parse_left(&line), 0);
	assert_true(parse_line(&p, &line));
	assert_memory_equal(line.at, "two three", 9);
	assert_false(parse_line(&p, &line));
	assert_int_equal(parse_left(&p), 4);

	p = parse_over(copy, sizeof text - 1);
	assert_true(parse_find(&p, "two ", &line));
	assert_int_equal(parse_left(&line), 5);
	assert_memory_equal(line.at, "three", 5);
	assert_false(parse_find(&p, "four", &line));
	assert_false(parse_find(&p, "three", &line));
	assert_false(parse_find(&p, "one\n\n", &line));
	assert_ptr_equal(p.at, copy);
	free(copy);
}

/* A line feed, and a second one behind it, anywhere among bytes that are nearly one. */
static void line_ends(void **state)
{
	static const unsigned char others[] = { 0, 9, 11, 0x80, 0x8a, 0x8b, 0xff };

	(void)state;
	for (size_t o = 0; o < sizeof others; o++) {
		for (size_t size = 0; size <= 34; size++) {
			for (size_t first = 0; first <= size; first++) {
				char bytes[34], *copy;
				struct parse p, line;

				memset(bytes, others[o], sizeof bytes);
				if (first < size)
					bytes[first] = '\n';
				if (first + 3 < size)
					bytes[first + 3] = '\n';
				copy = exact(bytes, size);
				p = parse_over(copy, size);
				assert_int_equal(parse_line(&p, &line), first < size);
				assert_ptr_equal(p.at, first < size ? copy + first + 1 : copy);
				if (first < size)
					assert_int_equal(parse_left(&line), first);
				free(copy);
			}
		}
	}
}

static void literals_and_blanks(void **state)
{
	struct parse p = parse_over(" \t kB", 5);
	char *copy;

	(void)state;
	assert_int_equal(parse_blanks(&p), 3);
	assert_int_equal(parse_blanks(&p), 0);
	assert_false(parse_literal(&p, "kBs"));
	assert_false(parse_literal(&p, "KB"));
	assert_true(parse_literal(&p, ""));
	assert_true(parse_literal(&p, "kB"));
	assert_int_equal(parse_left(&p), 0);
	assert_false(parse_literal(&p, "x"));
	copy = exact("  ", 2);
	p = parse_over(copy, 2);
	assert_int_equal(parse_blanks(&p), 2);
	free(copy);
	p = parse_trimmed(parse_over(" \r\n\t", 4));
	assert_int_equal(parse_left(&p), 0);
	p = parse_trimmed(parse_over("\n a b\r\n", 7));
	assert_int_equal(parse_left(&p), 3);
	assert_memory_equal(p.at, "a b", 3);
}

static void whole(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} rows[] = {
		{ "45000\n", true, 45000 },
		{ "45000", true, 45000 },
		{ " -3 \n", true, -3 },
		{ "", false, 0 },
		{ "\n", false, 0 },
		{ "1 2\n", false, 0 },
		{ "12a\n", false, 0 },
		{ "1.5\n", false, 0 },
		{ "0x10\n", false, 0 },
		{ "<unknown>\n", false, 0 },
		{ "99999999999999999999\n", false, 0 },
	};
	int64_t value = UNTOUCHED;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size = strlen(rows[i].text);
		char *copy = exact(rows[i].text, size);

		value = UNTOUCHED;
		print_message("whole '%s'\n", rows[i].text);
		assert_int_equal(parse_whole_i64(copy, size, &value), rows[i].ok);
		assert_int_equal(value, rows[i].ok ? rows[i].value : UNTOUCHED);
		free(copy);
	}
	assert_false(parse_whole_i64("1\0", 2, &value));
}

static void patterns(void **state)
{
	static const struct {
		const char *name, *pattern;
		bool ok;
	} rows[] = {
		{ "temp1_input", "temp#_input", true },
		{ "temp123_input", "temp#_input", true },
		{ "temp_input", "temp#_input", false },
		{ "temp1_inputs", "temp#_input", false },
		{ "temp1_inpu", "temp#_input", false },
		{ "hwmon", "hwmon#", false },
		{ "hwmon0", "hwmon#", true },
		{ "hwmon0x", "hwmon#", false },
		{ "Package id 0", "Package id #", true },
		{ "soc", "soc*", true },
		{ "soc-thermal", "soc*", true },
		{ "so", "soc*", false },
		{ "a*b", "a*b", true },
		{ "acb", "a*b", false },
		{ "", "*", true },
		{ "", "", true },
		{ "", "#", false },
		{ "x", "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t size = strlen(rows[i].name);
		char *copy = exact(rows[i].name, size);

		print_message("'%s' fits '%s'\n", rows[i].name, rows[i].pattern);
		assert_int_equal(parse_matches(parse_over(copy, size), rows[i].pattern),
				 rows[i].ok);
		free(copy);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(signed_numbers),
		cmocka_unit_test(fixed_numbers),
		cmocka_unit_test(lines),
		cmocka_unit_test(line_ends),
		cmocka_unit_test(literals_and_blanks),
		cmocka_unit_test(whole),
		cmocka_unit_test(patterns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
