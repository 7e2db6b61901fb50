/* SPDX-License-Identifier: MIT */
#include "test/unit/check.h"
#include "test/unit/emit_sample.h"

#include "emit/template.h"

static char buffer[TEMPLATE_SIZE_MAX];

static void rendered(void **state)
{
	static const struct {
		const char *template;
		enum safe_for use;
		const char *busy, *bare;
	} rows[] = {
		{ "", SAFE_PLAIN, "", "" },
		{ "{load1}", SAFE_PLAIN, "5.12", "0.00" },
		{ "{load1} {cpu}% {mem}%", SAFE_JSON, "5.12 42% 29%", "0.00 –% 12%" },
		{ "{load5}/{load15} {cpus}", SAFE_PLAIN, "2.34/0.98 8", "0.01/0.05 1" },
		{ "{mem_used} {mem_total} {mem_available}", SAFE_PLAIN, "9.0G 31G 22G",
		  "124M 1.0G 900M" },
		{ "{swap} {swap_used} {swap_total}", SAFE_PLAIN, "15 1.2G 8.0G", "– 0 0" },
		{ "{temp}°C {freq} {freq_mean} {freq_max}", SAFE_PLAIN, "72°C 4.4GHz 3.0GHz 4.8GHz",
		  "–°C – – –" },
		{ "{profile}", SAFE_PLAIN, "balanced", "–" },
		{ "{pressure_cpu} {pressure_memory} {pressure_io}", SAFE_PLAIN, "4 1 13", "– – –" },
		{ "{io_read} {io_write}", SAFE_PLAIN, "121M/s 3.5M/s", "– –" },
		{ "{blocked} {tasks} {running}", SAFE_PLAIN, "3 912 9", "0 61 1" },
		{ "{top_cpu} {top_mem} {top_io}", SAFE_PLAIN, "cc1 firefox dd", "– – –" },
		{ "{interval} {cost}", SAFE_PLAIN, "1s 34µs", "250ms 2.1ms" },
		{ "{{}}", SAFE_PLAIN, "{}", "{}" },
		{ "{{{cpus}}}", SAFE_PLAIN, "{8}", "{1}" },
		{ "{{cpus}}", SAFE_PLAIN, "{cpus}", "{cpus}" },
		{ "<b>\"{cpus}\"</b>\n\\", SAFE_PANGO_JSON, "<b>\\\"8\\\"</b>\\n\\u005c",
		  "<b>\\\"1\\\"</b>\\n\\u005c" },
		{ "a\nb", SAFE_PLAIN, "ab", "ab" },
		{ "a\\n\\tb\\x\\", SAFE_PLAIN, "a\n\tb\\x\\", "a\n\tb\\x\\" },
		{ "\\\\n{cpus}\\n", SAFE_PLAIN, "\\n8\n", "\\n1\n" },
		{ "\\n\\t\\\\", SAFE_PANGO_JSON, "\\n\\t\\u005c", "\\n\\t\\u005c" },
		{ "a\\n{cpus}\\tb", SAFE_JSON_LINE, "a 8 b", "a 1 b" },
		{ "[{cpu_graph}][{mem_graph}]", SAFE_JSON, "[  ▁▁▂▃▅▇█▄][▃▃▃▃▃▃▃▃▃▃]", "[          ][          ]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample busy = sample_busy(), bare = sample_bare();
		struct text t = text_over(buffer, sizeof buffer);

		assert_true(template_check(rows[i].template, &t));
		assert_int_equal(t.used, 0);
		template_write(&t, rows[i].template, &busy, rows[i].use);
		check_text(&t, rows[i].busy, rows[i].template);
		t.used = 0;
		template_write(&t, rows[i].template, &bare, rows[i].use);
		check_text(&t, rows[i].bare, rows[i].template);
	}
}

/* The template's markup is the user's; a name's is not. */
static void names(void **state)
{
	struct sample s = sample_busy();
	struct text t = text_over(buffer, sizeof buffer);

	(void)state;
	s.top_cpu.entry[0] = live(1, "<i>\"\\x2d&\\", 1, 0, 0, 0, 0);
	template_write(&t, "<b>{top_cpu}</b>", &s, SAFE_PANGO_JSON);
	check_text(&t, "<b>&lt;i&gt;&quot;-&amp;\\u005c</b>", "pango");
	t.used = 0;
	template_write(&t, "<b>{top_cpu}</b>", &s, SAFE_JSON);
	check_text(&t, "<b><i>\\\"-&\\u005c</b>", "json");
}

static void refused(void **state)
{
	static const struct {
		const char *template, *message;
	} rows[] = {
		{ "{laod1}", "no placeholder {laod1}; there are load1 load5" },
		{ "{}", "no placeholder {};" },
		{ "{load1 }", "no placeholder {load1 };" },
		{ "{load}", "no placeholder {load};" },
		{ "{load11}", "no placeholder {load11};" },
		{ "{\x1b[2J}", "no placeholder {[2J};" },
		{ "{load1", "no } after {load1 (" },
		{ "x {load1 {cpu}", "no } after {load1  (" },
		{ "{", "no } after { (" },
		{ "{{{", "no } after { (" },
		{ "load1}", "no { before } at byte 6 (" },
		{ "}}}", "no { before } at byte 3 (" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char message[1024];
		struct text t = text_over(message, sizeof message);

		if (template_check(rows[i].template, &t))
			print_error("accepted: %s\n", rows[i].template);
		assert_int_not_equal(t.used, 0);
		assert_false(t.cut);
		assert_true(t.used > strlen(rows[i].message));
		check_bytes(&(struct text){ .data = message, .used = strlen(rows[i].message) },
			    rows[i].message, strlen(rows[i].message), rows[i].template);
		assert_null(memchr(message, '\n', t.used));
	}
}

/* Every placeholder that --list names is one, and all of them are in the message. */
static void listed(void **state)
{
	char list[4096], message[4096], *line, *rest = list;
	struct text t = text_over(list, sizeof list - 1);
	struct text all = text_over(message, sizeof message - 1);
	unsigned count = 0;

	(void)state;
	template_list(&t);
	list[t.used] = '\0';
	template_check("{", &all);
	message[all.used] = '\0';
	while ((line = strtok_r(rest, "\n", &rest))) {
		char *open = strchr(line, '{'), *close = strchr(line, '}');
		struct text unused = text_over(NULL, 0);

		assert_true(open && close);
		close[1] = '\0';
		assert_true(template_check(open, &unused));
		*close = '\0';
		assert_non_null(strstr(message, open + 1));
		count++;
	}
	assert_int_equal(count, 39);
}

static void worst(void **state)
{
	static const char *const templates[] = { "{top_io}", "{profile}", "{cost}", "{temp}", "{mem}",
						 "{load1}", "\"", "\\", "\x01", "{freq}", "{interval}" };
	size_t longest = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(templates); i++) {
		char template[TEMPLATE_LENGTH_MAX + 2] = "";
		struct sample s = sample_worst('"');
		struct text t = text_over(buffer, sizeof buffer);

		while (strlen(template) + strlen(templates[i]) <= TEMPLATE_LENGTH_MAX)
			strcat(template, templates[i]);
		while (strlen(template) < TEMPLATE_LENGTH_MAX)
			strcat(template, "\\");
		assert_true(template_check(template, &t));
		template_write(&t, template, &s, SAFE_PANGO_JSON);
		assert_false(t.cut);
		if (t.used > longest)
			longest = t.used;
		strcat(template, " ");
		assert_false(template_check(template, &t));
	}
	print_message("# longest: %zu of %d bytes\n", longest, TEMPLATE_SIZE_MAX);
	assert_true(longest > TEMPLATE_SIZE_MAX / 2);
}

static void write_template(struct text *out, const void *what)
{
	template_write(out, "<b>{top_cpu}</b> {{{cpu}%}} {temp}° {profile} \"\n\xff", what,
		       SAFE_PANGO_JSON);
}

static void cut(void **state)
{
	struct sample busy = sample_busy();

	(void)state;
	check_every_size(write_template, &busy, TEMPLATE_SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rendered), cmocka_unit_test(names), cmocka_unit_test(refused),
		cmocka_unit_test(listed),   cmocka_unit_test(worst), cmocka_unit_test(cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
