/* SPDX-License-Identifier: MIT */
/* The panel and the faces around it. */
#include "test/unit/check.h"
#include "test/unit/emit_sample.h"

#include "emit/face.h"
#include "emit/i3bar.h"
#include "emit/panel.h"
#include "emit/template.h"
#include "emit/utf8.h"
#include "emit/waybar.h"

static char buffer[FACE_SIZE_MAX];

static struct options options_of(const char *argument)
{
	char words[256], *argv[16] = { words }, *rest = words;
	char message[OPTIONS_TEXT_SIZE_MAX];
	struct text error = text_over(message, sizeof message);
	struct options o;
	int argc = 1;

	snprintf(words, sizeof words, "%s", argument);
	while (argc < 15 && (argv[argc] = strtok_r(rest, " ", &rest)))
		argc++;
	assert_int_equal(options_parse(&o, argc, argv, &error), 0);
	o.text = strstr(argument, "--text") ? "<b>{top_cpu}</b>\n\"{cpu}\"" : "{load1}";
	return o;
}

/* One sample, with what stands around it. */
static void write_whole(struct text *t, const struct face *face, const struct sample *s, const struct options *o)
{
	if (face->begin && !o->terminal)
		face->begin(t, o);
	face->write(t, s, o);
	if (face->end && !o->terminal)
		face->end(t, o);
}

static void golden(void **state)
{
	static const struct {
		const char *face, *options, *file;
		bool bare, terminal;
		enum list list;
	} rows[] = {
		{ "waybar", "", "busy.waybar", false, false, LIST_ALL },
		{ "waybar", "--text X --no-markup --class-on pressure", "busy-plain.waybar", false,
		  false, LIST_ALL },
		{ "waybar", "", "busy-memory.waybar", false, false, LIST_MEMORY },
		{ "waybar", "", "bare.waybar", true, false, LIST_ALL },
		{ "term", "", "busy.panel", false, false, LIST_ALL },
		{ "term", "", "bare.panel", true, false, LIST_ALL },
		{ "text", "--text X", "busy.text", false, false, LIST_ALL },
		{ "text", "--text X", "bare.text", true, false, LIST_ALL },
		{ "i3bar", "", "busy.i3bar", false, false, LIST_ALL },
		{ "i3bar", "", "busy-cpu.i3bar", false, false, LIST_CPU },
		{ "i3bar", "--warning 1 --critical 2 --class-on load", "busy-io.i3bar", false, false, LIST_IO },
		{ "i3bar", "--text X --class-on cpu --critical 30", "busy-text.i3bar", false, false, LIST_MEMORY },
		{ "i3bar", "", "bare.i3bar", true, false, LIST_ALL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample s = rows[i].bare ? sample_bare() : sample_busy();
		struct options o = options_of(rows[i].options);
		struct text t = text_over(buffer, sizeof buffer);

		o.terminal = rows[i].terminal;
		o.list = rows[i].list;
		write_whole(&t, face_find(rows[i].face), &s, &o);
		check_golden(&t, rows[i].file);
	}
}

/* Lines of the plain panel keep to its width, and none ends in a space. */
static void grid(void **state)
{
	struct sample s = sample_busy();
	struct text t = text_over(buffer, sizeof buffer - 1);
	char *line, *rest = buffer;

	(void)state;
	s.cpu_ppm = PPM;
	s.pressure[PRESSURE_IO] = (struct pressure){ true, true, PPM, PPM };
	s.top_cpu.entry[0].ended = 9999;
	s.top_cpu.entry[1].threads = 32768;
	s.top_io.entry[0] = live(4194304, "0123456789abcde", 1, 0, 0, UINT64_MAX / 2,
				 UINT64_MAX / 2);
	s.load_milli[0] = 9995;
	s.load_milli[1] = 99949;
	s.load_milli[2] = 1234567;
	panel_write(&t, &s, PANEL_PLAIN, LIST_ALL);
	buffer[t.used] = '\0';
	assert_non_null(strstr(buffer, "Load      10.0     99.9     1235       8 CPUs\n"));
	while ((line = strsep(&rest, "\n"))) {
		size_t length = strlen(line);

		if (utf8_width(line, length) > PANEL_COLUMNS)
			print_error("wide: %s\n", line);
		assert_true(utf8_width(line, length) <= PANEL_COLUMNS);
		assert_true(!length || line[length - 1] != ' ');
	}
}

/* What nobody would want to see move does not move the panel. */
static void quiet(void **state)
{
	struct sample a = sample_busy(), b = sample_busy();
	char other[PANEL_SIZE_MAX];
	struct text before = text_over(other, sizeof other);
	struct text after = text_over(buffer, sizeof buffer);

	(void)state;
	b.cost_ns = 21000;
	b.time_unix_ms += 1000;
	b.elapsed_ns += 12345;
	b.cpu_ppm += 1000;
	b.memory_used_bytes += 1 << 20;
	b.temperature_millicelsius += 400;
	b.tasks_total++;
	b.top_cpu.entry[0].cpu_ppm += 1000;
	b.pressure[PRESSURE_IO].some_ppm += 1500;
	panel_write(&before, &a, PANEL_MARKUP_JSON, LIST_ALL);
	panel_write(&after, &b, PANEL_MARKUP_JSON, LIST_ALL);
	check_bytes(&after, before.data, before.used, "panel");
	b.cost_ns = 51000;
	after.used = 0;
	panel_write(&after, &b, PANEL_MARKUP_JSON, LIST_ALL);
	assert_true(after.used != before.used || memcmp(other, buffer, after.used));
}

/* One list alone has all its rows; the headlines of the others stay. */
static void alone(void **state)
{
	static const struct {
		enum list list;
		bool cpu, memory, io;
	} rows[] = {
		{ LIST_ALL, true, true, true }, { LIST_CPU, true, false, false },
		{ LIST_MEMORY, false, true, false }, { LIST_IO, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample s = sample_busy();
		struct text t = text_over(buffer, sizeof buffer - 1);

		panel_write(&t, &s, PANEL_PLAIN, rows[i].list);
		buffer[t.used] = '\0';
		assert_int_equal(!!strstr(buffer, "×212 ended"), rows[i].cpu);
		assert_int_equal(!!strstr(buffer, "2.3G  firefox"), rows[i].memory);
		assert_int_equal(!!strstr(buffer, "×2 ended"), rows[i].io);
		assert_non_null(strstr(buffer, "\nCPU "));
		assert_non_null(strstr(buffer, "\nMemory "));
		assert_non_null(strstr(buffer, "\nIO "));
	}
}

static void notices(void **state)
{
	struct sample s = sample_bare();
	struct text t = text_over(buffer, sizeof buffer - 1);

	(void)state;
	s.blocked_count = 23;
	s.blocked_listed = 6;
	for (unsigned i = 0; i < 6; i++)
		s.blocked[i] = (struct blocked_entry){ i + 1, "dd", 'D' };
	s.lost = 2;
	panel_write(&t, &s, PANEL_PLAIN, LIST_ALL);
	buffer[t.used] = '\0';
	assert_non_null(strstr(buffer, "Blocked   dd D, dd D, dd D, dd D, dd D, 18 more\n"));
	assert_null(strstr(buffer, "without a slot"));
	assert_non_null(strstr(buffer, "\nsince start: 0 tasks dropped, 2 lost\nsampled in under 5ms"));
	s.without_slot = 12;
	s.dropped = 40;
	t.used = 0;
	panel_write(&t, &s, PANEL_PLAIN, LIST_ALL);
	buffer[t.used] = '\0';
	assert_non_null(strstr(buffer, "\ntasks: 12 without a slot, try a larger --max-tasks\n"
				       "since start: 40 tasks dropped, 2 lost\nsampled"));
	s.blocked_listed = 0;
	t.used = 0;
	panel_write(&t, &s, PANEL_PLAIN, LIST_ALL);
	buffer[t.used] = '\0';
	assert_non_null(strstr(buffer, "Blocked   23 tasks\n"));
	s.cost_ns = UINT64_MAX;
	t.used = 0;
	panel_write(&t, &s, PANEL_PLAIN, LIST_ALL);	/* ends, whatever the cost */
}

/* What is escaped takes as much room as what it stands for. */
static void escaped_columns(void **state)
{
	static const char *const want[] = {
		[PANEL_PLAIN] = "\nBattery    50%   <\"&>                  BAT0",
		[PANEL_JSON] = "\\nBattery    50%   <\\\"&>                  BAT0",
		[PANEL_MARKUP_JSON] = "\\n<b>Battery   </b> 50%   &lt;&quot;&amp;&gt;                  <span alpha='60%'>BAT0",
	};

	(void)state;
	for (unsigned style = 0; style < COUNT_OF(want); style++) {
		struct text t = text_over(buffer, sizeof buffer - 1);
		struct sample s = sample_bare();

		s.battery_count = 1;
		s.battery[0] = (struct battery_entry){
			.known = BATTERY_KNOWS_RATIO, .name = "BAT0", .status = "<\"&>", .charge_ppm = 500000,
		};
		panel_write(&t, &s, (enum panel_style)style, LIST_ALL);
		buffer[t.used] = '\0';
		if (!strstr(buffer, want[style]))
			print_error("style %u: %s\n", style, buffer);
		assert_non_null(strstr(buffer, want[style]));
	}
}

/* The tail of waybar's object: classes and percentage. */
static void classes(void **state)
{
	static const struct {
		const char *options;
		uint32_t load_milli, cpu_ppm, memory_percent, pressure_ppm;
		bool no_rates, dropped;
		const char *want;
	} rows[] = {
		{ "", 0, 0, 0, 0, false, false, "[\"ok\"],\"percentage\":0}" },
		{ "", 0, 0, 0, 0, true, false, "[\"ok\"]}" },
		{ "", 3999, 0, 0, 0, false, false, "[\"ok\"],\"percentage\":0}" },
		{ "", 4000, 0, 0, 0, false, false, "[\"warning\",\"load-warning\"],\"percentage\":0}" },
		{ "", 8000, 74000, 0, 0, false, false,
		  "[\"critical\",\"load-critical\"],\"percentage\":7}" },
		{ "", 0, 900000, 81, 200000, false, true,
		  "[\"ok\",\"cpu-critical\",\"mem-warning\",\"pressure-warning\",\"dropped\"]"
		  ",\"percentage\":90}" },
		{ "--class-on load", 3000, 900000, 0, 0, false, false,
		  "[\"ok\",\"cpu-critical\"],\"percentage\":75}" },
		{ "--class-on load", 50000, 0, 0, 0, false, false,
		  "[\"critical\",\"load-critical\"],\"percentage\":100}" },
		/* times 100 and divided by 4 CPUs this is 32 bits and a little */
		{ "--class-on load", 171798692, 0, 0, 0, false, false,
		  "[\"critical\",\"load-critical\"],\"percentage\":100}" },
		{ "--class-on load", UINT32_MAX, 0, 0, 0, false, false,
		  "[\"critical\",\"load-critical\"],\"percentage\":100}" },
		{ "--class-on cpu", 9000, 699999, 0, 0, false, false,
		  "[\"ok\",\"load-critical\"],\"percentage\":70}" },
		{ "--class-on cpu --warning 30.5", 0, 305000, 0, 0, false, false,
		  "[\"warning\",\"cpu-warning\"],\"percentage\":31}" },
		{ "--class-on cpu --warning 95", 0, 940000, 0, 0, false, false,
		  "[\"ok\"],\"percentage\":94}" },
		{ "--class-on cpu --warning 95", 0, 950000, 0, 0, false, false,
		  "[\"critical\",\"cpu-critical\"],\"percentage\":95}" },
		{ "--class-on cpu --critical 10", 0, 100000, 0, 0, false, false,
		  "[\"critical\",\"cpu-critical\"],\"percentage\":10}" },
		{ "--class-on mem", 0, 0, 95, 0, false, false,
		  "[\"critical\",\"mem-critical\"],\"percentage\":95}" },
		{ "--class-on pressure", 0, 0, 0, 500000, false, false,
		  "[\"critical\",\"pressure-critical\"],\"percentage\":50}" },
		{ "--warning 2 --critical 3", 2500, 0, 0, 0, false, false,
		  "[\"warning\",\"load-warning\"],\"percentage\":0}" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample s = sample_bare();
		struct options o = options_of(rows[i].options);
		struct text t = text_over(buffer, sizeof buffer - 1);
		char *tail;

		s.cpus = 4;
		s.known |= rows[i].no_rates ? 0 : KNOWS_RATES;
		s.load_milli[0] = rows[i].load_milli;
		s.cpu_ppm = rows[i].cpu_ppm;
		s.memory_total_bytes = 100 << 20;
		s.memory_used_bytes = (uint64_t)rows[i].memory_percent << 20;
		s.pressure[PRESSURE_IO] = (struct pressure){ true, false, rows[i].pressure_ppm, 0 };
		s.without_slot = rows[i].dropped;
		face_find("waybar")->write(&t, &s, &o);
		buffer[t.used] = '\0';
		tail = strstr(buffer, "\"class\":");
		assert_non_null(tail);
		buffer[t.used - 1] = '\0';
		if (strcmp(tail + 8, rows[i].want))
			print_error("row %zu: %s\n", i, tail);
		assert_string_equal(tail + 8, rows[i].want);
	}
}

static void worst(void **state)
{
	static const char fills[] = "\\\"&\xff ";
	size_t longest = 0;

	(void)state;
	for (size_t i = 0; i < sizeof fills; i++) {
		struct sample s = sample_worst(fills[i]);

		for (int style = PANEL_PLAIN; style <= PANEL_MARKUP_JSON; style++) {
			struct text t = text_over(buffer, PANEL_SIZE_MAX);

			panel_write(&t, &s, (enum panel_style)style, LIST_ALL);
			assert_false(t.cut);
			longest = t.used > longest ? t.used : longest;
		}
	}
	print_message("# longest: %zu of %d bytes\n", longest, PANEL_SIZE_MAX);
	assert_true(longest > PANEL_SIZE_MAX / 2);
}

/* The longest that a template makes of 512 bytes. */
static const char *longest_template(char template[TEMPLATE_LENGTH_MAX + 1], unsigned before)
{
	static const char longest[] = "{profile}";
	size_t used = before;

	memset(template, 'x', before);
	while (used + sizeof longest - 1 <= TEMPLATE_LENGTH_MAX) {
		memcpy(template + used, longest, sizeof longest - 1);
		used += sizeof longest - 1;
	}
	template[used] = '\0';
	return template;
}

/* Every text at its longest: all of it fits, and the files are held against the schemas. */
static void longest_lines(void **state)
{
	char template[TEMPLATE_LENGTH_MAX + 1];
	struct sample s = sample_worst('"');
	struct options o = options_of("--text X");
	struct text t = text_over(buffer, sizeof buffer);

	(void)state;
	for (unsigned i = 0; i < BLOCKED_MAX; i++)
		s.blocked[i].state = 'D';
	o.text = o.alt = longest_template(template, 0);
	write_whole(&t, face_find("waybar"), &s, &o);
	check_golden(&t, "worst.waybar");
	assert_true(t.used > WAYBAR_SIZE_MAX / 2);
	t.used = 0;
	o.list = LIST_IO;
	write_whole(&t, face_find("i3bar"), &s, &o);
	check_golden(&t, "worst.i3bar");
	assert_true(t.used <= I3BAR_SIZE_MAX);
}

/* The bytes of a JSON string's inside at `at` that are whole characters, up to its quote. */
static size_t whole_characters(const char *at, size_t size)
{
	size_t used = 0, length;
	uint32_t code;

	while (used < size && at[used] != '"') {
		length = utf8_read((const unsigned char *)at + used, size - used, &code);
		if (at[used] == '\\')
			length = at[used + 1] == 'u' && strspn(at + used + 2, "0123456789abcdef") >= 4 ? 6 : 2;
		else if (code == UTF8_REPLACEMENT && memcmp(at + used, "\xef\xbf\xbd", 3))
			break;
		used += length;
	}
	return used;
}

/* i3bar: a text that is too long ends between two characters, wherever that falls. */
static void shortened(void **state)
{
	static const char fills[] = "\\\"\xff";
	static const char key[] = "\"full_text\":\"";
	char template[TEMPLATE_LENGTH_MAX + 1];

	(void)state;
	for (size_t i = 0; i + 1 < sizeof fills; i++) {
		for (unsigned before = 0; before < 12; before++) {
			struct sample s = sample_worst(fills[i]);
			struct options o = options_of("--text X");
			struct text t = text_over(buffer, sizeof buffer - 1);
			size_t length;
			char *at;

			o.text = longest_template(template, before);
			if (fills[i] == '"')	/* behind 15 values of 48 bytes */
				for (unsigned c = before + 15 * 9; c + 4 <= TEMPLATE_LENGTH_MAX; c += 4)
					memcpy(template + c, "\xf0\x9f\x98\x80", 5);
			face_find("i3bar")->write(&t, &s, &o);
			buffer[t.used] = '\0';
			at = strstr(buffer, key);
			assert_non_null(at);
			at += sizeof key - 1;
			length = whole_characters(at, strlen(at));
			assert_int_equal(at[length], '"');
			assert_in_range(length, I3BAR_TEXT_MAX - 5, I3BAR_TEXT_MAX);
		}
	}
}

/* Clicks change what they should, several in one piece, a piece at a time. */
static void clicked(void **state)
{
	static const struct {
		const char *input;
		enum face_asks asks;
		uint32_t interval_ms;
		bool kernel_threads;
		enum list list;
	} rows[] = {
		{ "[\n", FACE_NOTHING, 1000, true, LIST_ALL },
		{ "{\"name\":\"rstat\",\"button\":1}\n", FACE_LINE, 500, true, LIST_ALL },
		{ ",{\"name\":\"rstat\",\"button\":2}\n", FACE_LINE, 500, false, LIST_ALL },
		{ ",{\"name\":\"rstat\",\"button\":3}\n", FACE_LINE, 500, false, LIST_CPU },
		{ ",{\"button\":3}\n,{\"button\":3}\n", FACE_LINE, 500, false, LIST_IO },
		{ ",{\"button\":4}\n", FACE_LINE, 250, false, LIST_IO },
		{ ",{\"button\":5}\n", FACE_LINE, 500, false, LIST_IO },
		{ ",{\"button\":6}\n,{\"button\":0}\n,{\"name\":\"clock\",\"button\":1}\n", FACE_NOTHING, 500, false, LIST_IO },
		{ ",{\"butt", FACE_NOTHING, 500, false, LIST_IO },
		{ "on\":1", FACE_NOTHING, 500, false, LIST_IO },
		{ "}", FACE_LINE, 250, false, LIST_IO },
		{ "", FACE_NOTHING, 250, false, LIST_IO },
	};
	struct options o = options_of("");

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		assert_int_equal(face_find("i3bar")->input(&o, rows[i].input, strlen(rows[i].input)), rows[i].asks);
		assert_int_equal(o.interval_ms, rows[i].interval_ms);
		assert_int_equal(o.kernel_threads, rows[i].kernel_threads);
		assert_int_equal(o.list, rows[i].list);
	}
}

static void write_i3bar(struct text *out, const void *what)
{
	struct options o = options_of("--text X");

	o.list = LIST_CPU;
	face_find("i3bar")->write(out, what, &o);
}

static void write_waybar(struct text *out, const void *what)
{
	struct options o = options_of("");

	face_find("waybar")->write(out, what, &o);
}

static void cut(void **state)
{
	struct sample busy = sample_busy();

	(void)state;
	check_every_size(write_waybar, &busy, FACE_SIZE_MAX);
	check_every_size(write_i3bar, &busy, FACE_SIZE_MAX);
}

static void offered(void **state)
{
	static const char *const names[] = { "waybar", "i3bar", "json", "term", "text" };
	char list[64];
	struct text t = text_over(list, sizeof list);

	(void)state;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_string_equal(face_find(names[i])->name, names[i]);
	assert_null(face_find("i3"));
	assert_null(face_find("way"));
	assert_null(face_find(""));
	face_names(&t);
	check_text(&t, "waybar i3bar json term text openmetrics", "names");
	assert_ptr_equal(face_default(true), face_find("term"));
	assert_ptr_equal(face_default(false), face_find("waybar"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden),  cmocka_unit_test(grid),  cmocka_unit_test(quiet),
		cmocka_unit_test(alone),
		cmocka_unit_test(notices), cmocka_unit_test(escaped_columns), cmocka_unit_test(classes), cmocka_unit_test(worst),
		cmocka_unit_test(longest_lines), cmocka_unit_test(shortened), cmocka_unit_test(clicked),
		cmocka_unit_test(cut),	   cmocka_unit_test(offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
