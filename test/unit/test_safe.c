/* SPDX-License-Identifier: MIT */
#include "test/unit/check.h"

#include "emit/safe.h"
#include "emit/utf8.h"

#define FFFD "\xef\xbf\xbd"

/*
 * Names as the kernel may hold them; all but the last column are string literals, so a NUL can be
 * inside.
 */
static void names(void **state)
{
	static const struct {
		const char *name;
		size_t size;
		enum safe_for use;
		const char *want;
		unsigned columns;
	} rows[] = {
#define ROW(name, use, want, columns) { name, sizeof name - 1, use, want, columns }
		ROW("bash", SAFE_PANGO_JSON, "bash", 4),
		ROW("bash\0secret", SAFE_PLAIN, "bash", 4),
		ROW("0123456789abcdef", SAFE_PLAIN, "0123456789abcdef", 16),
		ROW("", SAFE_PLAIN, "?", 1),
		ROW("\0\0", SAFE_JSON, "?", 1),
		ROW("\x1b\x07\n", SAFE_JSON, "?", 1),
		ROW("   ", SAFE_PLAIN, "?", 1),
		ROW(" a ", SAFE_PLAIN, " a ", 3),
		/* quoting */
		ROW("a\"b\\c", SAFE_PLAIN, "a\"b\\c", 5),
		ROW("a\"b\\c", SAFE_JSON, "a\\\"b\\u005cc", 5),
		ROW("a\"b\\c", SAFE_PANGO, "a&quot;b\\c", 5),
		ROW("a\"b\\c", SAFE_PANGO_JSON, "a&quot;b\\u005cc", 5),
		ROW("<b>&'", SAFE_PLAIN, "<b>&'", 5),
		ROW("<b>&'", SAFE_JSON, "<b>&'", 5),
		ROW("<b>&'", SAFE_PANGO, "&lt;b&gt;&amp;&#39;", 5),
		ROW("&amp;", SAFE_PANGO, "&amp;amp;", 5),
		/* unit names: Waybar would turn \x into \u00 */
		ROW("a\\x2db", SAFE_JSON, "a-b", 3),
		ROW("\\x2D\\x5f", SAFE_JSON, "-_", 2),
		ROW("\\x22\\x3c", SAFE_PANGO_JSON, "&quot;&lt;", 2),
		ROW("\\x5cx2d", SAFE_JSON, "\\u005cx2d", 4),
		ROW("\\x0a", SAFE_JSON, "\\u005cx0a", 4),
		ROW("\\x7f\\xe9", SAFE_JSON, "\\u005cx7f\\u005cxe9", 8),
		ROW("a\\x2", SAFE_JSON, "a\\u005cx2", 4),
		ROW("\\x2\0d", SAFE_JSON, "\\u005cx2", 3),
		ROW("\\xzz", SAFE_PANGO_JSON, "\\u005cxzz", 4),
		/* control characters: C0, DEL, C1 */
		ROW("a\tb\x7f" "c\r\n", SAFE_PLAIN, "abc", 3),
		ROW("a\xc2\x80\xc2\x9b" "31mb", SAFE_PLAIN, "a31mb", 5),
		ROW("a\x1b[2Jb", SAFE_PLAIN, "a[2Jb", 5),
		ROW("a\xc2\x9f\xc2\x9f" "b", SAFE_PLAIN, "ab", 2),
		ROW("a\xc2\xa0" "b", SAFE_PLAIN, "a\xc2\xa0" "b", 3),
		/* marks: direction, no width, separators */
		ROW("\xe2\x80\xae" "gnp", SAFE_PLAIN, "gnp", 3),
		ROW("a\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\xa8\xe2\x80\xa9" "b", SAFE_PLAIN, "ab", 2),
		ROW("a\xe2\x81\xa0\xe2\x81\xa6\xe2\x81\xa9\xd8\x9c\xef\xbb\xbf" "b", SAFE_PLAIN,
		    "ab", 2),
		ROW("\xe2\x80\x90\xe2\x80\xaf", SAFE_PLAIN, "\xe2\x80\x90\xe2\x80\xaf", 2),
		ROW("\xf3\xa0\x81\x81x", SAFE_PLAIN, "x", 1),
		ROW("a\xcd\x8f\xe1\x85\x9f\xe1\x85\xa0\xe3\x85\xa4\xef\xbe\xa0", SAFE_PLAIN, "a", 1),
		ROW("a\xe1\xa0\x8b\xef\xb8\x8f\xf3\xa0\x87\xaf", SAFE_PLAIN, "a", 1),
		ROW("\xe3\x85\xa4", SAFE_PLAIN, "?", 1),
		/* blanks alone, of any kind */
		ROW("\xc2\xa0\xe2\x80\x83\xe3\x80\x80\xe2\xa0\x80 ", SAFE_PLAIN, "?", 1),
		ROW("\xc2\xa0" "a", SAFE_PLAIN, "\xc2\xa0" "a", 2),
		/* no UTF-8: one U+FFFD per maximal subpart (Unicode 15, tables 3-8 to 3-11) */
		ROW("\x80", SAFE_PLAIN, FFFD, 1),
		ROW("a\xff" "b", SAFE_JSON, "a" FFFD "b", 3),
		ROW("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", SAFE_PLAIN,
		    FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A", 9),
		ROW("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", SAFE_PLAIN,
		    FFFD FFFD FFFD FFFD FFFD FFFD FFFD FFFD "A", 9),
		ROW("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", SAFE_PLAIN,
		    FFFD FFFD FFFD FFFD FFFD "A" FFFD FFFD "B", 9),
		ROW("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", SAFE_PLAIN, FFFD FFFD FFFD FFFD "A", 5),
		ROW("\xf5\x80\x80\x80", SAFE_PLAIN, FFFD FFFD FFFD FFFD, 4),
		/*
		 * cut after 15 bytes, in the middle of a character; the bytes behind are not looked
		 * at
		 */
		ROW("0123456789abcd\xc3\0", SAFE_PLAIN, "0123456789abcd" FFFD, 15),
		ROW("0123456789abc\xe2\x82", SAFE_PLAIN, "0123456789abc" FFFD, 14),
		ROW("\xc3\\x2d", SAFE_PLAIN, FFFD "-", 2),
		/* columns */
		ROW("k\xc3\xb6nig", SAFE_JSON, "k\xc3\xb6nig", 5),
		ROW("ko\xcc\x88nig", SAFE_JSON, "ko\xcc\x88nig", 5),
		ROW("\xe6\xbc\xa2\xe5\xad\x97", SAFE_JSON, "\xe6\xbc\xa2\xe5\xad\x97", 4),
		ROW("\xf0\x9f\x90\xa7", SAFE_JSON, "\xf0\x9f\x90\xa7", 2),
		ROW("\xef\xbf\xbd", SAFE_JSON, FFFD, 1),
#undef ROW
	};
	char buffer[128];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		/*
		 * A copy without what the compiler puts behind a literal: reading on is an error.
		 */
		char *name = malloc(rows[i].size ? rows[i].size : 1);
		struct text t = text_over(buffer, sizeof buffer);
		unsigned columns;

		assert_non_null(name);
		memcpy(name, rows[i].name, rows[i].size);
		columns = safe_name(&t, name, rows[i].size, rows[i].use);
		check_text(&t, rows[i].want, rows[i].name);
		if (columns != rows[i].columns)
			print_error("%s: columns\n", rows[i].name);
		assert_int_equal(columns, rows[i].columns);
		free(name);
	}
}

static bool is_utf8(const unsigned char *bytes, size_t size)
{
	uint32_t code;
	size_t length;

	for (size_t i = 0; i < size; i += length) {
		length = utf8_read(bytes + i, size - i, &code);
		if (code == UTF8_REPLACEMENT && (length != 3 || memcmp(bytes + i, FFFD, 3)))
			return false;
	}
	return true;
}

/*
 * Whatever the bytes: the output is UTF-8 without controls, ends no string, opens no tag, and keeps
 * to its bound.
 */
/* No name makes a tag of a bar, alone or with what stands before it. */
static void tags(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "%{A:reboot:}", "% {A:reboot:}" }, { "{F#f00}", " {F#f00}" }, { "#[fg=red]", "# [fg=red]" },
		{ "#(reboot)", "# (reboot)" }, { "#{pid}", "# {pid}" }, { "(sd-pam)", " (sd-pam)" },
		{ "<action=/tmp/x>", "< action=/tmp/x>" }, { "</action>", "< /action>" }, { "\\x3cfn=1>", "< fn=1>" },
		{ "^ca(1,/tmp/x)", "^ ca(1,/tmp/x)" }, { "^^fg()", "^ ^ fg()" }, { "a<", "a< " }, { "a^", "a^ " }, { "a < b", "a < b" },
		{ "%\x7b", "% {" }, { "%\x01{", "% {" }, { "a[0]{1}(2)", "a[0]{1}(2)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char data[64];
		struct text t = text_over(data, sizeof data);

		assert_int_equal(safe_name(&t, rows[i].name, strlen(rows[i].name), SAFE_TAGS), t.used);
		check_text(&t, rows[i].want, rows[i].name);
	}
}

static void any_bytes(void **state)
{
	unsigned char name[16];
	char buffer[SAFE_GROWTH * sizeof name];
	uint32_t seed = 1;

	(void)state;
	for (unsigned round = 0; round < 200000; round++) {
		struct text t = text_over(buffer, sizeof buffer);

		for (size_t i = 0; i < sizeof name; i++) {
			seed = seed * 1664525 + 1013904223;
			name[i] = (unsigned char)(seed >> 24);
			if (seed & 0x10000)
				name[i] = (unsigned char)"\\x2\"<&>\xe2\x80\xae\xc2\x9b\xf0\x9f'd"[name[i] & 15];
		}
		safe_name(&t, name, sizeof name, SAFE_PANGO_JSON);
		assert_false(t.cut);
		assert_true(t.used > 0);
		assert_true(is_utf8((unsigned char *)buffer, t.used));
		for (size_t i = 0; i < t.used; i++) {
			assert_true((unsigned char)buffer[i] >= 0x20);
			assert_null(strchr("\"<>'", buffer[i]));
			if (buffer[i] == '\\')
				assert_memory_equal(buffer + i, "\\u005c", 6);
		}
	}
}

static void strings(void **state)
{
	static const struct {
		const char *string;
		enum safe_for use;
		const char *want;
	} rows[] = {
		{ "", SAFE_JSON, "" },
		{ "<b>{</b>\n&amp;", SAFE_JSON, "<b>{</b>\\n&amp;" },
		{ "a\nb\tc", SAFE_PLAIN, "abc" },
		{ "a\nb", SAFE_PANGO, "ab" },
		{ "\\x2d", SAFE_JSON, "\\u005cx2d" },
		{ "\"", SAFE_JSON, "\\\"" },
		{ "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb", SAFE_JSON,
		  "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb" },
		{ "\xee\x82\xa0 \xff", SAFE_JSON, "\xee\x82\xa0 " FFFD },
	};
	char buffer[64];

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct text t = text_over(buffer, sizeof buffer);

		safe_string(&t, rows[i].string, strlen(rows[i].string), rows[i].use);
		check_text(&t, rows[i].want, rows[i].string);
	}
	struct text t = text_over(buffer, sizeof buffer);

	json_string(&t, "a\"\\");
	check_text(&t, "\"a\\\"\\u005c\"", "json_string");
}

static void write_name(struct text *out, const void *what)
{
	safe_name(out, what, 16, SAFE_PANGO_JSON);
}

static void cut(void **state)
{
	(void)state;
	check_every_size(write_name, "\"\"\"\"\\<>&\xff\xc3\xb6'ab\"\"", 16 * SAFE_GROWTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(tags), cmocka_unit_test(any_bytes),
		cmocka_unit_test(strings),
		cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
