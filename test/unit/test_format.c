/* SPDX-License-Identifier: MIT */
#include "test/unit/check.h"

#include "emit/format.h"
#include "emit/utf8.h"

#define KIB UINT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (MIB * KIB)

static void bytes(void **state)
{
	static const struct {
		uint64_t value;
		const char *want;
	} rows[] = {
		{ 0, "0" },
		{ 1, "1B" },
		{ 999, "999B" },
		{ 1000, "1.0K" },
		{ 1023, "1.0K" },
		{ KIB, "1.0K" },
		{ KIB + 51, "1.0K" },
		{ KIB + 52, "1.1K" },
		{ 10188, "9.9K" },	/* 9.949 */
		{ 10189, "10K" },	/* 9.9502 */
		{ 10 * KIB + 511, "10K" },
		{ 10 * KIB + 512, "11K" },
		{ 999 * KIB + 511, "999K" },
		{ 999 * KIB + 512, "1.0M" },
		{ 1000 * KIB, "1.0M" },
		{ 1023 * KIB + 922, "1.0M" },	/* 1023.9K */
		{ MIB - 1, "1.0M" },
		{ 812 * MIB, "812M" },
		{ 999 * MIB + MIB / 2, "1.0G" },
		{ 31 * GIB, "31G" },
		{ 1288490188, "1.2G" },
		{ GIB * KIB, "1.0T" },
		{ GIB * MIB * 9, "9.0P" },
		{ UINT64_MAX, "16E" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = text_over(buffer, sizeof buffer);

		format_bytes(&t, rows[i].value);
		check_text(&t, rows[i].want, rows[i].want);
	}
	/* Never wider than its column, around every power of two and of ten. */
	for (unsigned shift = 0; shift < 64; shift++) {
		for (uint64_t around = 0; around < 2000; around++) {
			struct text t = text_over(buffer, sizeof buffer);

			format_bytes(&t, (UINT64_C(1) << shift) * 999 / 1000 + around);
			assert_true(t.used >= 1 && t.used <= 4);
		}
	}
}

static void numbers(void **state)
{
	static const struct {
		char kind;
		uint64_t value;
		const char *want;
	} rows[] = {
		{ '%', 0, "0" },
		{ '%', 4999, "0" },
		{ '%', 5000, "1" },
		{ '%', 74000, "7" },
		{ '%', 1000000, "100" },
		{ 'p', 0, "0.0" },
		{ 'p', 74000, "7.4" },
		{ 'p', 74499, "7.4" },
		{ 'p', 74500, "7.5" },
		{ 'p', 99499, "9.9" },
		{ 'p', 99500, "10" },
		{ 'p', 211000, "21" },
		{ 'f', 0, "0MHz" },
		{ 'f', 800000000, "800MHz" },
		{ 'f', 999499999, "999MHz" },
		{ 'f', 999500000, "1.0GHz" },
		{ 'f', 3400000000, "3.4GHz" },
		{ 'f', 4392000000, "4.4GHz" },
		{ 'r', 0, "0/s" },
		{ 'r', 12 * MIB, "12M/s" },
		{ 'd', 0, "0ns" },
		{ 'd', 999, "999ns" },
		{ 'd', 34567, "34µs" },
		{ 'd', 1500, "1.5µs" },
		{ 'd', 999999, "999µs" },
		{ 'd', 2100000, "2.1ms" },
		{ 'd', 250000000, "250ms" },
		{ 'd', 1000000000, "1s" },
		{ 'd', 2500000000, "2.5s" },
		{ 'd', 60000000000, "60s" },
		{ 'c', 71500, "72" },
		{ 'c', 0, "0" },
		{ 'c', (uint64_t)-400, "0" },
		{ 'c', (uint64_t)-500, "-1" },
		{ 'c', (uint64_t)-3200, "-3" },
		{ 'c', (uint64_t)INT32_MIN, "-2147484" },
	};
	char buffer[32];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = text_over(buffer, sizeof buffer);

		switch (rows[i].kind) {
		case '%': format_percent(&t, (uint32_t)rows[i].value, false); break;
		case 'p': format_percent(&t, (uint32_t)rows[i].value, true); break;
		case 'f': format_frequency(&t, rows[i].value); break;
		case 'r': format_rate(&t, rows[i].value); break;
		case 'd': format_duration(&t, rows[i].value); break;
		default: format_degrees(&t, (int32_t)rows[i].value); break;
		}
		check_text(&t, rows[i].want, rows[i].want);
	}
}

static void longest(void **state)
{
	char buffer[64];
	struct text t = text_over(buffer, sizeof buffer);

	(void)state;
	format_frequency(&t, UINT64_MAX);
	assert_true(t.used <= 16);
	t.used = 0;
	format_duration(&t, UINT64_MAX);
	assert_true(t.used <= 16);
	t.used = 0;
	format_rate(&t, UINT64_MAX);
	assert_true(t.used <= 6);
}

static void shares(void **state)
{
	(void)state;
	assert_int_equal(format_share(0, 0), 0);
	assert_int_equal(format_share(1, 0), 0);
	assert_int_equal(format_share(0, 7), 0);
	assert_int_equal(format_share(1, 4), 250000);
	assert_int_equal(format_share(9, 4), 1000000);
	assert_int_equal(format_share(UINT64_MAX, UINT64_MAX), 1000000);
	assert_in_range(format_share(UINT64_MAX / 2, UINT64_MAX), 499990, 500000);
}

static void columns(void **state)
{
	char buffer[16];
	struct text t = text_over(buffer, sizeof buffer);

	(void)state;
	text_string(&t, "a:");
	text_string(&t, "7°");
	format_right(&t, 2, 4);
	check_text(&t, "a:  7°", "right, in columns");
	format_left(&t, 0, 8);
	check_text(&t, "a:  7°  ", "left, in columns");
	format_right(&t, 0, 3);
	check_text(&t, "a:  7°  ", "wide enough");
	t.used = 0;
	format_gap(&t, 3, 5);
	check_text(&t, "  ", "gap");

	/* No room for all the spaces: cut, and what was there is still whole. */
	t = text_over(buffer, 5);
	text_string(&t, "abc");
	format_right(&t, 0, 9);
	assert_true(t.cut);
	assert_int_equal(t.used, 5);
	assert_memory_equal(buffer, "  abc", 5);
	assert_int_equal(utf8_width("\xe6\xbc\xa2" "o\xcc\x88\xff", 7), 4);
}

/* Both ends of ranges, early and late ones, and what stands beside them. */
static void widths(void **state)
{
	static const struct {
		uint32_t code;
		unsigned columns;
	} rows[] = {
		{ 0, 1 }, { 'a', 1 }, { 0x2ff, 1 }, { 0x300, 0 }, { 0x36f, 0 }, { 0x370, 1 }, { 0x10ff, 1 }, { 0x1100, 2 }, { 0x115f, 2 },
		{ 0x1160, 1 }, { 0x20d0, 0 }, { 0x20ff, 0 }, { 0x2581, 1 }, { 0x2e80, 2 }, { 0x303e, 2 }, { 0x303f, 1 }, { 0x6f22, 2 },
		{ 0xd7a3, 2 }, { 0xd7a4, 1 }, { 0xfaff, 2 }, { 0xfb00, 1 }, { 0xfe0f, 0 }, { 0xfe10, 1 }, { 0xfe2f, 0 }, { 0xfe30, 2 },
		{ 0xff60, 2 }, { 0xff61, 1 }, { 0xffe6, 2 }, { 0xfffd, 1 }, { 0x1f300, 2 }, { 0x1f650, 1 }, { 0x1f680, 2 }, { 0x1f9ff, 2 },
		{ 0x1fa00, 1 }, { 0x20000, 2 }, { 0x3fffd, 2 }, { 0x3fffe, 1 }, { 0xe0100, 0 }, { 0xe01ef, 0 }, { 0xe01f0, 1 }, { 0x10ffff, 1 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (utf8_columns(rows[i].code) != rows[i].columns)
			print_error("U+%04X: %u columns\n", rows[i].code, utf8_columns(rows[i].code));
		assert_int_equal(utf8_columns(rows[i].code), rows[i].columns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes),  cmocka_unit_test(numbers), cmocka_unit_test(longest),
		cmocka_unit_test(shares), cmocka_unit_test(columns), cmocka_unit_test(widths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
