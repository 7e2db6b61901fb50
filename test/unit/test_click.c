/* SPDX-License-Identifier: MIT */
/* Clicks: what is one, what is none, and that the next line is read whatever came before. */
#include "test/unit/check.h"

#include "emit/click.h"

enum { CLICKS_MAX = 64 };

/* All buttons that `size` bytes hold, read in pieces: where they are cut decides nothing, since it reads by the byte. */
static size_t read_all(struct click *c, const char *bytes, size_t size, uint32_t *buttons)
{
	size_t count = 0;

	for (size_t i = 0; i < size; i++) {
		uint32_t button = click_read(c, (unsigned char)bytes[i], "rstat");

		if (button && count < CLICKS_MAX)
			buttons[count++] = button;
	}
	return count;
}

#define ROW(bytes, ...) { bytes, sizeof bytes - 1, { __VA_ARGS__ } }
#define DEEP4(x) "[[[[" x "]]]]"

static const struct row {
	const char *bytes;
	size_t size;
	uint32_t want[8];
} rows[] = {
	ROW(""),
	/* as swaybar and i3bar write */
	ROW("[\n{ \"name\": \"rstat\", \"instance\": \"cpu\", \"x\": 1213, \"y\": 10, \"button\": 1, \"event\": 272, "
	    "\"relative_x\": 5, \"relative_y\": 6, \"width\": 40, \"height\": 20, \"scale\": 1.000000 }\n", 1),
	ROW("[\n{\"name\":\"rstat\",\"button\":1,\"modifiers\":[\"Shift\",\"Mod1\"],\"x\":-12}\n"
	    ",{\"name\":\"rstat\",\"button\":3,\"modifiers\":[],\"x\":1e3}\n", 1, 3),
	ROW("{\"button\":1}{\"button\":2},{\"button\":3}\n,\n{\"button\":4}]", 1, 2, 3, 4),
	ROW("{\"button\":8}{\"button\":4294967295}", 8, UINT32_MAX),
	ROW(" { \"button\"\t:\r\n5 } ", 5),
	ROW("{\"button\":5 , \"name\" : \"rstat\"}", 5),
	ROW("{\"a\":{\"button\":2},\"button\":1,\"b\":{\"name\":\"other\"}}", 1),
	ROW("{\"a\":[1,-0,0.5,1e+9,1E-9,-1.25e0,true,false,null,[],{},\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uD83D\"],\"button\":1}", 1),
	ROW("{\"\xff\xfe\":\"\xc3\x28\x80\",\"button\":1}", 1),	/* no UTF-8: not our business */

	/* events, but none that is ours to obey */
	ROW("{}[{}]{\"a\":1}"),
	ROW("{\"button\":0}{\"button\":-1}{\"button\":1.0}{\"button\":1e0}{\"button\":\"1\"}{\"button\":true}{\"button\":[1]}"),
	ROW("{\"button\":4294967296}{\"button\":99999999999999999999}"),
	ROW("{\"name\":\"other\",\"button\":1}{\"name\":\"rstat2\",\"button\":1}{\"name\":\"rsta\",\"button\":1}{\"name\":\"\",\"button\":1}"),
	ROW("{\"name\":\"rstatrstatrstat\",\"button\":1}{\"button\":1,\"name\":\"\\u0072stat\"}{\"Button\":1}{\"buttons\":1}{\"butto\":1}"),
	ROW("{\"a\":{\"button\":1}}{\"a\":[1,2]}[[{\"x\":0}]]"),
	ROW("{\"name\":\"other\",\"button\":1}{\"button\":2}", 2),	/* nothing of the event before */

	/* malformed: ignored to the end of the line, and the next line is read */
	ROW("x\n{\"button\":1}", 1),
	ROW("{\"button\":1,}\n{\"button\":2}", 2),
	ROW("{,\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"button\" 1}\n{\"button\":2}", 2),
	ROW("{\"button\"::1}\n{\"button\":2}", 2),
	ROW("{\"button\":1 2}\n{\"button\":2}", 2),
	ROW("{\"button\":01}\n{\"button\":2}", 2),
	ROW("{\"button\":+1}\n{\"button\":2}", 2),
	ROW("{\"button\":1.}\n{\"button\":2}", 2),
	ROW("{\"button\":.1}\n{\"button\":2}", 2),
	ROW("{\"button\":1e}\n{\"button\":2}", 2),
	ROW("{\"button\":1e+}\n{\"button\":2}", 2),
	ROW("{\"button\":-}\n{\"button\":2}", 2),
	ROW("{\"button\":0x1}\n{\"button\":2}", 2),
	ROW("{\"button\":1]\n{\"button\":2}", 2),
	ROW("{\"a\":[1}\n{\"button\":2}", 2),
	ROW("{\"a\":[1,]}\n{\"button\":2}", 2),
	ROW("{\"a\":[,1]}\n{\"button\":2}", 2),
	ROW("{button:1}\n{\"button\":2}", 2),
	ROW("{'button':1}\n{\"button\":2}", 2),
	ROW("{\"a\":tru,\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":trues,\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":nul}\n{\"button\":2}", 2),
	ROW("{\"a\":NaN,\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":\"\\x\",\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":\"\\u12g4\",\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":\"\\u123\",\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":\"\t\",\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":\"\0\",\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":\"unfinished\n{\"button\":2}", 2),
	ROW("{\"button\":1\n{\"button\":2}\n{\"button\":3}", 3),	/* a line feed may stand there: the second line is lost, too */
	ROW("{\"button\":1,\"button\":2}\n{\"button\":3}", 3),
	ROW("}\n{\"button\":2}", 2),
	ROW("\xef\xbb\xbf{\"button\":1}\n{\"button\":2}", 2),
	ROW("\0{\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"button\":1}}{\"button\":5}\n{\"button\":2}", 1, 2),
	ROW("/*{\"button\":1}*/\n{\"button\":2}", 2),

	/* depth: 16 levels with the event itself */
	ROW("{\"a\":" DEEP4(DEEP4(DEEP4("[[[]]]"))) ",\"button\":1}", 1),
	ROW("{\"a\":" DEEP4(DEEP4(DEEP4("[[[[]]]]"))) ",\"button\":1}\n{\"button\":2}", 2),
	ROW("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}}}}}}}}\n"
	    "{\"button\":2}", 2),
};

static void table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct click c = { 0 };
		uint32_t have[CLICKS_MAX] = { 0 };
		size_t count = read_all(&c, rows[i].bytes, rows[i].size, have), want = 0;

		while (rows[i].want[want])
			want++;
		if (count != want || memcmp(have, rows[i].want, want * sizeof *have))
			print_error("row %zu: %s\n", i, rows[i].bytes);
		assert_int_equal(count, want);
		assert_memory_equal(have, rows[i].want, want * sizeof *have);
	}
}

/* What comes before, cut anywhere, costs at most the line after it. */
static void resynchronised(void **state)
{
	static const char after[] = "\n\n{\"a\":0}\n{\"button\":7,\"name\":\"rstat\"}\n";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		for (size_t cut = 0; cut <= rows[i].size; cut++) {
			struct click c = { 0 };
			uint32_t have[CLICKS_MAX];
			size_t count;

			read_all(&c, rows[i].bytes, cut, have);
			/* inside of a string or a list the line after may be taken for more of it, or for the fault */
			read_all(&c, "\n!\n", 3, have);
			count = read_all(&c, after, sizeof after - 1, have);
			assert_int_equal(count, 1);
			assert_int_equal(have[0], 7);
		}
	}
}

/* Without an end, there is none: it is given up at its size, and the next line is read. */
static void endless(void **state)
{
	static const char *const begins[] = { "{\"a\":\"", "{\"a\":[1", "{\"", "{\"a\":1" };
	static const char fills[] = "a, 0";

	(void)state;
	for (size_t i = 0; i < COUNT_OF(begins); i++) {
		struct click c = { 0 };
		uint32_t have[CLICKS_MAX];

		read_all(&c, begins[i], strlen(begins[i]), have);
		for (size_t n = 0; n < 10 * CLICK_SIZE_MAX; n++) {
			if (i == 1 && n % 2)
				assert_int_equal(click_read(&c, '1', "rstat"), 0);
			assert_int_equal(click_read(&c, (unsigned char)fills[i % 2 ? 1 : i], "rstat"), 0);
			assert_true(c.size <= CLICK_SIZE_MAX);
		}
		assert_int_equal(read_all(&c, "\n{\"button\":1}", 13, have), 1);
	}
}

/* The longest that is read, and one byte more. */
static void size(void **state)
{
	static const char head[] = "{\"button\":1,\"a\":\"", tail[] = "\"}";

	(void)state;
	for (unsigned over = 0; over < 2; over++) {
		struct click c = { 0 };
		uint32_t have[CLICKS_MAX];
		size_t fill = CLICK_SIZE_MAX - (sizeof head - 1) - (sizeof tail - 1) + 1 + over;

		read_all(&c, head, sizeof head - 1, have);
		for (size_t i = 0; i < fill; i++)
			click_read(&c, 'x', "rstat");
		assert_int_equal(read_all(&c, tail, sizeof tail - 1, have), over ? 0 : 1);
	}
}

/* Bytes by chance, most of JSON's own: nothing goes out of bounds (the sanitizers look), and it comes back. */
static void chance(void **state)
{
	static const char likely[] = "{}[]\",:0123456789.eE+-truefalsnbo\\u \n\t\xff\0{\"button\":1}\n";
	uint32_t seed = 1, have[CLICKS_MAX];
	struct click c = { 0 };

	(void)state;
	for (unsigned i = 0; i < 2000000; i++) {
		seed = seed * 1664525 + 1013904223;
		click_read(&c, (unsigned char)(seed >> 30 ? likely[(seed >> 8) % sizeof likely] : (char)(seed >> 16)), "rstat");
		assert_true(c.depth <= CLICK_DEPTH_MAX && c.length <= CLICK_WORD_MAX + 1 && c.size <= CLICK_SIZE_MAX);
	}
	read_all(&c, "\n!\n", 3, have);
	assert_int_equal(read_all(&c, "{\"button\":1}", 12, have), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table), cmocka_unit_test(resynchronised), cmocka_unit_test(endless),
		cmocka_unit_test(size),	 cmocka_unit_test(chance),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
