/* SPDX-License-Identifier: MIT */
#include "test/unit/check.h"

#include "emit/face.h"
#include "emit/options.h"
#include "emit/utf8.h"

enum { WORDS_MAX = 6 };

static int parse(struct options *o, const char *const words[WORDS_MAX], struct text *error)
{
	char *argv[WORDS_MAX + 2] = { (char *)(uintptr_t) "rstat" };
	int argc = 1;

	while (argc <= WORDS_MAX && words[argc - 1]) {
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
		argc++;
	}
	memset(o, 0xa5, sizeof *o);
	return options_parse(o, argc, argv, error);
}

static void defaults(void **state)
{
	const char *const words[WORDS_MAX] = { NULL };
	char message[64];
	struct text error = text_over(message, sizeof message);
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, words, &error), 0);
	assert_int_equal(error.used, 0);
	assert_int_equal(o.action, ACTION_RUN);
	assert_null(o.face);
	assert_int_equal(o.interval_ms, 1000);
	assert_int_equal(o.lines, 0);
	assert_int_equal(o.top_rows, 5);
	assert_true(o.kernel_threads && o.markup);
	assert_false(o.once || o.terminal || o.class_on_set || o.warning_set || o.critical_set);
	assert_false(o.min_cpu_set || o.min_memory_set || o.min_io_set);
	assert_string_equal(o.text, "{load1}");
	assert_null(o.alt);
	assert_null(o.probe_path);
	assert_int_equal(o.attach, ATTACH_AUTO);
	assert_int_equal(o.class_on, METRIC_LOAD);
	assert_int_equal(o.max_tasks, 0);
	assert_int_equal(options_parse(&o, 0, NULL, &error), 0);
}

/* Each row sets one number, found by its offset. */
static void good(void **state)
{
#define AT(field) offsetof(struct options, field), sizeof(((struct options *)0)->field)
	static const struct {
		const char *words[WORDS_MAX];
		size_t at, size;
		uint64_t want;
	} rows[] = {
		{ { "-i", "500" }, AT(interval_ms), 500 },
		{ { "-i500" }, AT(interval_ms), 500 },
		{ { "--interval", "10" }, AT(interval_ms), 10 },
		{ { "--interval=60000" }, AT(interval_ms), 60000 },
		{ { "-i", "500", "-i", "250" }, AT(interval_ms), 250 },
		{ { "-i", "0500" }, AT(interval_ms), 500 },
		{ { "-n3" }, AT(lines), 3 },
		{ { "--count", "4294967295" }, AT(lines), UINT32_MAX },
		{ { "--once" }, AT(once), 1 },
		{ { "-t", "0" }, AT(top_rows), 0 },
		{ { "--top=20" }, AT(top_rows), 20 },
		{ { "--min-cpu", "2.5" }, AT(min_cpu_ppm), 25000 },
		{ { "--min-cpu=0.0001" }, AT(min_cpu_ppm), 1 },
		{ { "--min-cpu", "100" }, AT(min_cpu_ppm), 1000000 },
		{ { "--min-cpu", "0" }, AT(min_cpu_set), 1 },
		{ { "--min-mem", "0" }, AT(min_memory_set), 1 },
		{ { "--min-mem", "250M" }, AT(min_memory_bytes), 250 << 20 },
		{ { "--min-mem", "12k" }, AT(min_memory_bytes), 12288 },
		{ { "--min-mem", "18446744073709551615" }, AT(min_memory_bytes), UINT64_MAX },
		{ { "--min-mem", "16777215T" }, AT(min_memory_bytes), UINT64_C(16777215) << 40 },
		{ { "--min-io", "2G" }, AT(min_io_bytes_per_second), UINT64_C(2) << 30 },
		{ { "--no-kernel" }, AT(kernel_threads), 0 },
		{ { "--no-markup" }, AT(markup), 0 },
		{ { "--class-on", "mem" }, AT(class_on), METRIC_MEMORY },
		{ { "--class-on", "load" }, AT(class_on_set), 1 },
		{ { "--class-on", "pressure", "--critical", "100" }, AT(critical_milli), 100000 },
		{ { "--warning", "0.125" }, AT(warning_milli), 125 },
		{ { "--warning", "200" }, AT(warning_milli), 200000 },
		{ { "--attach", "btf" }, AT(attach), ATTACH_BTF },
		{ { "--attach=proc" }, AT(attach), ATTACH_PROC },
		{ { "--attach", "raw" }, AT(attach), ATTACH_RAW },
		{ { "--attach", "perf" }, AT(attach), ATTACH_PERF },
		{ { "--attach", "btf", "--attach=auto" }, AT(attach), ATTACH_AUTO },
		{ { "--max-tasks", "64" }, AT(max_tasks), 64 },
		{ { "--check" }, AT(action), ACTION_CHECK },
		{ { "--bench" }, AT(bench_samples), 1000 },
		{ { "--bench", "7" }, AT(bench_samples), 7 },
		{ { "--bench=7" }, AT(bench_samples), 7 },
		{ { "--bench", "-i20" }, AT(action), ACTION_BENCH },
		{ { "--profile", "9" }, AT(profile_seconds), 9 },
		{ { "--list" }, AT(action), ACTION_LIST },
		{ { "-h" }, AT(action), ACTION_HELP },
		{ { "--help", "--nonsense" }, AT(action), ACTION_HELP },
		{ { "-V" }, AT(action), ACTION_VERSION },
		{ { "-i", "20", "--" }, AT(interval_ms), 20 },
	};
#undef AT

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char message[OPTIONS_TEXT_SIZE_MAX];
		struct text error = text_over(message, sizeof message);
		struct options o;
		uint64_t have = 0;
		int code = parse(&o, rows[i].words, &error);

		memcpy(&have, (char *)&o + rows[i].at, rows[i].size);	/* little endian */
		if (code || error.used || have != rows[i].want)
			print_error("%s: %.*s\n", rows[i].words[0], (int)error.used, message);
		assert_int_equal(code, 0);
		assert_int_equal(error.used, 0);
		assert_int_equal(have, rows[i].want);
	}
}

static void words(void **state)
{
	const char *const given[WORDS_MAX] = { "--text={cpu}%", "--alt", "-{{", "--probe", "./x.o",
					       "-ojson" };
	const char *const automatic[WORDS_MAX] = { "-o", "json", "--output", "auto" };
	char message[64];
	struct text error = text_over(message, sizeof message);
	struct options o;

	(void)state;
	assert_int_equal(parse(&o, given, &error), 0);
	assert_string_equal(o.text, "{cpu}%");
	assert_string_equal(o.alt, "-{{");
	assert_string_equal(o.probe_path, "./x.o");
	assert_ptr_equal(o.face, face_find("json"));
	assert_int_equal(parse(&o, automatic, &error), 0);
	assert_null(o.face);
}

static void bad(void **state)
{
#define HINT "; rstat --help lists the options"
	static const struct {
		const char *words[WORDS_MAX];
		const char *want;	/* what the message begins with */
	} rows[] = {
		{ { "-i", "9" }, "--interval '9': wants milliseconds, 10 to 60000" },
		{ { "-i", "60001" }, "--interval '60001': wants" },
		{ { "-i=500" }, "--interval '=500': wants" },
		{ { "-i", "" }, "--interval '': wants" },
		{ { "--interval=" }, "--interval '': wants" },
		{ { "-i", "500ms" }, "--interval '500ms': wants" },
		{ { "-i", " 500" }, "--interval ' 500': wants" },
		{ { "-i", "+500" }, "--interval '+500': wants" },
		{ { "-i", "-n" }, "--interval '-n': wants" },
		{ { "-i", "5.0" }, "--interval '5.0': wants" },
		{ { "-i", "0x1f4" }, "--interval '0x1f4': wants" },
		{ { "-i", "18446744073709552116" }, "--interval '18446744073709552116': wants" },
		{ { "-i" }, "--interval needs a value: milliseconds, 10 to 60000" },
		{ { "--text" }, "--text needs a value: TEMPLATE" },
		{ { "--int", "500" }, "unknown option '--int'" HINT },
		{ { "--interva", "500" }, "unknown option '--interva'" HINT },
		{ { "--intervals=5" }, "unknown option '--intervals=5'" HINT },
		{ { "--file", "x.txt" }, "--file 'x.txt': wants a path that ends in .prom" },
		{ { "--file", ".prom" }, "--file '.prom': wants a path" },
		{ { "--file", "a/.prom" }, "--file 'a/.prom': wants a path" },
		{ { "--file", "x.prom", "-o", "json" }, "--file goes with --output openmetrics" },
		{ { "--names" }, "--names goes with --output openmetrics" },
		{ { "--names", "-o", "waybar" }, "--names goes with --output openmetrics" },
		{ { "--temperature", "" }, "--temperature '': wants a sensor's name" },
		{ { "--temperature", "k10temp:" }, "--temperature 'k10temp:': wants" },
		{ { "--temperature", ":Tctl" }, "--temperature ':Tctl': wants" },
		{ { "--gpu", "../card0" }, "--gpu '../card0': wants a card, a driver, or none" },
		{ { "--battery", "\x1b[2J" }, "--battery '[2J': wants a battery, or none" },
		{ { "--budget", "9" }, "--budget '9': wants microseconds, 10 to 1000000" },
		{ { "--budget", "1000001" }, "--budget '1000001': wants" },
		{ { "-x" }, "unknown option '-x'" HINT },
		{ { "-\x1b[2J" }, "unknown option '-[2J'" HINT },
		{ { "-" }, "unexpected argument '-'" HINT },
		{ { "" }, "unexpected argument ''" HINT },
		{ { "waybar" }, "unexpected argument 'waybar'" HINT },
		{ { "--", "-h" }, "unexpected argument '-h'" HINT },
		{ { "--once=1" }, "--once '1': takes no value" },
		{ { "-hV" }, "--help 'V': takes no value" },
		{ { "-n", "4294967296" }, "--count '4294967296': wants lines" },
		{ { "-t", "21" }, "--top '21': wants rows, 0 to 20" },
		{ { "--min-cpu", "100.0001" }, "--min-cpu '100.0001': wants percent" },
		{ { "--min-cpu", "0.00001" }, "--min-cpu '0.00001': wants percent" },
		{ { "--min-cpu", "1." }, "--min-cpu '1.': wants percent" },
		{ { "--min-cpu", ".5" }, "--min-cpu '.5': wants percent" },
		{ { "--min-cpu", "1.2.3" }, "--min-cpu '1.2.3': wants percent" },
		{ { "--min-cpu", "1%" }, "--min-cpu '1%': wants percent" },
		{ { "--min-mem", "M" }, "--min-mem 'M': wants bytes" },
		{ { "--min-mem", "1MB" }, "--min-mem '1MB': wants bytes" },
		{ { "--min-mem", "1.5G" }, "--min-mem '1.5G': wants bytes" },
		{ { "--min-mem", "16777216T" }, "--min-mem '16777216T': wants bytes" },
		{ { "--min-mem", "18446744073709551616" }, "--min-mem '18446744073709551616'" },
		{ { "--min-io", "1P" }, "--min-io '1P': wants bytes" },
		{ { "--min-io", "1\x0b" }, "--min-io '1': wants bytes" },
		{ { "-o", "i3" },
		  "--output 'i3': no such face; there are auto waybar i3bar json term text openmetrics" },
		{ { "--text", "{lod}" }, "--text '{lod}': no placeholder {lod}; there are load1" },
		{ { "--alt", "}" }, "--alt '}': no { before }" },
		{ { "--class-on", "swap" }, "--class-on 'swap': wants load, cpu, mem or pressure" },
		{ { "--class-on", "memory" }, "--class-on 'memory': wants" },
		{ { "--warning", "x" }, "--warning 'x': wants a number" },
		{ { "--critical", "1000000.001" }, "--critical '1000000.001': wants a number" },
		{ { "--class-on", "cpu", "--warning", "101" },
		  "--warning and --critical: wants percent, 0 to 100, with --class-on cpu" },
		{ { "--critical", "101", "--class-on=mem" }, "--warning and --critical: wants" },
		{ { "--warning", "3", "--critical", "2.5" },
		  "--warning 3.000: wants at most --critical, 2.500" },
		{ { "--probe", "x.o", "--attach", "proc" }, "--probe: there is no probe with --attach proc" },
		{ { "--attach", "usdt" }, "--attach 'usdt': wants auto, btf, raw, perf or proc" },
		{ { "--max-tasks", "63" }, "--max-tasks '63': wants tasks, 64 to 4194304" },
		{ { "--probe", "" }, "--probe '': wants a path" },
		{ { "--bench", "0" }, "--bench '0': wants samples, 1 to 1000000" },
		{ { "--bench", "ten" }, "unexpected argument 'ten'" },
		{ { "--profile=1h" }, "--profile '1h': wants seconds" },
		{ { "--max-tasks", "11111111112222222222333333333344444444445555555555666666666677777777"
				   "778888888888x" },
		  "--max-tasks '1111111111222222222233333333334444444444555555555566666666667777777777"
		  "8888888888...': wants" },
	};
#undef HINT

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char message[OPTIONS_TEXT_SIZE_MAX];
		struct text error = text_over(message, sizeof message);
		struct options o;
		int code = parse(&o, rows[i].words, &error);
		size_t length = strlen(rows[i].want);

		if (code != 2 || error.used < length || memcmp(message, rows[i].want, length))
			print_error("row %zu: %d, have: %.*s\n  want: %s\n", i, code, (int)error.used,
				    message, rows[i].want);
		assert_int_equal(code, 2);
		assert_true(error.used >= length);
		assert_memory_equal(message, rows[i].want, length);
		assert_false(error.cut);
		assert_null(memchr(message, '\n', error.used));
	}
}

static void pages(void **state)
{
	void (*const write[])(struct text *) = { options_help, options_list };
	char page[OPTIONS_TEXT_SIZE_MAX + 1], *line, *rest;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(write); i++) {
		struct text t = text_over(page, OPTIONS_TEXT_SIZE_MAX);

		write[i](&t);
		assert_false(t.cut);
		assert_int_equal(page[t.used - 1], '\n');
		page[t.used] = '\0';
		rest = page;
		while ((line = strsep(&rest, "\n"))) {
			if (utf8_width(line, strlen(line)) > 80)
				print_error("wide: %s\n", line);
			assert_true(utf8_width(line, strlen(line)) <= 80);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(good), cmocka_unit_test(words),
		cmocka_unit_test(bad),	    cmocka_unit_test(pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
