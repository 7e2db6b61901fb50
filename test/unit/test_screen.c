/* SPDX-License-Identifier: MIT */
/* The live view at every size of window, and its keys. What it writes is read as a terminal would. */
#include "test/unit/check.h"
#include "test/unit/emit_sample.h"

#include "emit/screen.h"
#include "emit/utf8.h"

static char buffer[FACE_SIZE_MAX];

static struct options options_all(void)
{
	return (struct options){ .interval_ms = 1000, .top_rows = TOP_MAX, .kernel_threads = true, .live = true };
}

/* A number at *at, which is moved past it. */
static unsigned number(const char **at)
{
	unsigned value = 0;

	while (**at >= '0' && **at <= '9')
		value = value * 10 + (unsigned)(*(*at)++ - '0');
	return value;
}

/* The columns that one row writes to, up to the next row or the end; escape sequences have none, ESC[K is not past the last. */
static const char *check_row(const char *at, const char *end, unsigned columns, bool colour)
{
	unsigned width = 0;

	while (at < end) {
		uint32_t code;

		if (*at == '\x1b') {
			assert_int_equal(at[1], '[');
			if (at[2] == 'K') {
				assert_true(width < columns);
				at += 3;
				continue;
			}
			const char *final = at + 2;

			number(&final);
			if (*final != 'm')
				return at;
			assert_true(colour);
			at = final + 1;
			continue;
		}
		assert_true((unsigned char)*at >= 0x20);
		at += utf8_read((const unsigned char *)at, (size_t)(end - at), &code);
		width += utf8_columns(code);
		assert_true(width <= columns);
	}
	return at;
}

/* Each row of the window is written or erased once, in order, and nothing beside it. */
static void check_screen(const struct text *t, unsigned rows, unsigned columns, bool colour)
{
	const char *at = t->data, *end = t->data + t->used;
	unsigned row = 0;

	assert_false(t->cut);
	while (at < end) {
		assert_memory_equal(at, "\x1b[", 2);
		at += 2;
		row++;
		if (number(&at) != row) {
			assert_true(row > rows && rows == 1);	/* the status over the only row */
			row--;
		}
		assert_memory_equal(at, ";1H", 3);
		at = check_row(at + 3, end, columns, colour);
	}
	assert_int_equal(row, rows);
}

static void draw(struct text *t, const struct sample *s, const struct options *o, struct screen screen)
{
	*t = text_over(buffer, sizeof buffer);
	screen_write(t, s, o, &screen);
}

/* With a line feed after each row, for people who read the golden file. */
static struct text in_lines(const struct text *t)
{
	static char data[2 * FACE_SIZE_MAX];
	struct text lines = text_over(data, sizeof data);

	for (size_t at = 0; at < t->used; at++) {
		const char *digit = t->data + at + 2;

		if (at && at + 3 < t->used && t->data[at] == '\x1b' && number(&digit) && *digit == ';')
			text_char(&lines, '\n');
		text_char(&lines, t->data[at]);
	}
	text_char(&lines, '\n');
	return lines;
}

static void golden(void **state)
{
	static const struct {
		struct screen screen;
		enum list list;
		const char *file;
	} rows[] = {
		{ { .rows = 24, .columns = 80, .colour = true }, LIST_ALL, "80x24.screen" },
		{ { .rows = 50, .columns = 200 }, LIST_ALL, "200x50.screen" },
		{ { .rows = 10, .columns = 40, .help = true }, LIST_MEMORY, "40x10.screen" },
		{ { .rows = 5, .columns = 20, .paused = true }, LIST_IO, "20x5.screen" },
		{ { .rows = 1, .columns = 1 }, LIST_ALL, "1x1.screen" },
		{ { 0 }, LIST_CPU, "unknown.screen" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct sample s = sample_busy();
		struct options o = options_all();
		struct text t, lines;

		o.list = rows[i].list;
		draw(&t, &s, &o, rows[i].screen);
		lines = in_lines(&t);
		check_golden(&lines, rows[i].file);
	}
}

/* What README's picture shows: an ordinary machine that compiles something. */
static void pictured(void **state)
{
	static const struct screen screen = { .rows = 30, .columns = 100, .colour = true };
	struct sample s = sample_busy();
	struct options o = options_all();
	const uint64_t mib = 1 << 20;
	struct text t, lines;

	(void)state;
	s.blocked_count = s.blocked_listed = s.throttled_count = s.gpu_count = 0;
	s.cpu_history.count = s.memory_history.count = 100;
	for (unsigned i = 0; i < 100; i++) {
		unsigned wave = i % 23 < 12 ? i % 23 : 23 - i % 23, burst = i > 70 && i < 90 ? 90 : i % 9;

		s.cpu_history.level[i] = (uint8_t)(8 + wave * 9 + burst);
		s.memory_history.level[i] = (uint8_t)(i < 40 ? 40 + i : 74 - (i % 31) / 4);
	}
	s.top_cpu.count = 8;
	s.top_cpu.entry[2] = live(3120, "Web Content", 31, 41000, 0, 0, 0);
	s.top_cpu.entry[3] = live(1840, "sway", 6, 22000, 0, 0, 0);
	s.top_cpu.entry[4] = live(2077, "pipewire", 3, 10000, 0, 0, 0);
	s.top_cpu.entry[5] = live(0, "sh", 0, 8000, 0, 0, 0);
	s.top_cpu.entry[5].ended = 38;
	s.top_cpu.entry[6] = live(1911, "waybar", 9, 4000, 0, 0, 0);
	s.top_cpu.entry[7] = live(6001, "make", 1, 2000, 0, 0, 0);
	s.top_memory.count = 5;
	s.top_memory.entry[1] = live(3120, "Web Content", 31, 0, 812 * mib, 0, 0);
	s.top_memory.entry[2] = live(2800, "emacs", 4, 0, 301 * mib, 0, 0);
	s.top_memory.entry[3] = live(1840, "sway", 6, 0, 142 * mib, 0, 0);
	s.top_memory.entry[4] = live(1911, "waybar", 9, 0, 61 * mib, 0, 0);
	draw(&t, &s, &o, screen);
	lines = in_lines(&t);
	check_golden(&lines, "picture.screen");
}

static void every_size(void **state)
{
	struct sample samples[] = { sample_busy(), sample_bare(), sample_worst('"'), sample_worst('\xff') };
	struct options o = options_all();
	struct text t;

	(void)state;
	memcpy(samples[3].top_cpu.entry[0].name, "\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 15);
	for (unsigned columns = 1; columns <= 200; columns++) {
		for (unsigned rows = 1; rows <= 64; rows += rows < 26 ? 1 : 9) {
			for (size_t i = 0; i < COUNT_OF(samples); i++) {
				struct screen screen = {
					.rows = (uint16_t)rows, .columns = (uint16_t)columns, .colour = i % 2,
					.help = rows % 2, .paused = columns % 2, .scroll = columns % 25,
				};

				o.list = (enum list)((rows + columns) % LISTS);
				draw(&t, &samples[i], &o, screen);
				check_screen(&t, rows, columns, screen.colour);
			}
		}
	}
	for (size_t i = 0; i < COUNT_OF(samples); i++) {
		o.list = LIST_ALL;
		draw(&t, &samples[i], &o, (struct screen){ .rows = UINT16_MAX, .columns = UINT16_MAX, .colour = true });
		check_screen(&t, SCREEN_ROWS_MAX, SCREEN_COLUMNS_MAX, true);
		print_message("# %zu of %d bytes\n", t.used, FACE_SIZE_MAX);
	}
}

static void write_screen(struct text *out, const void *what)
{
	struct options o = options_all();

	screen_write(out, what, &o, &(struct screen){ .rows = 30, .columns = 60, .colour = true });
}

static void cut(void **state)
{
	struct sample busy = sample_busy();

	(void)state;
	check_every_size(write_screen, &busy, FACE_SIZE_MAX);
}

/* Rows of the list that scrolls: the second is the first afterwards, and the last stays in sight. */
static void scrolled(void **state)
{
	struct sample s = sample_busy();
	struct options o = options_all();
	struct screen screen = { .rows = 12, .columns = 80 };
	struct text t = { 0 };

	(void)state;
	o.list = LIST_CPU;
	draw(&t, &s, &o, screen);
	buffer[t.used] = '\0';
	assert_non_null(strstr(buffer, "cc1 "));
	assert_null(strstr(buffer, "kworker"));
	screen.scroll = 1;
	draw(&t, &s, &o, screen);
	buffer[t.used] = '\0';
	assert_null(strstr(buffer, "cc1 "));
	assert_non_null(strstr(buffer, "firefox"));
	screen.scroll = TOP_MAX;
	t = text_over(buffer, sizeof buffer);
	screen_write(&t, &s, &o, &screen);
	buffer[t.used] = '\0';
	assert_non_null(strstr(buffer, "kworker"));
	assert_in_range(screen.scroll, 1, s.top_cpu.count - 1);	/* so that one step back is seen */
	screen.rows = 24;
	t = text_over(buffer, sizeof buffer);
	screen_write(&t, &s, &o, &screen);
	assert_int_equal(screen.scroll, 0);	/* a window that has room for all */
}

static void keys(void **state)
{
	static const struct {
		const char *typed;
		enum face_asks asks;
		uint32_t interval_ms, scroll;
		enum list list;
		bool no_kernel, paused, help;
	} rows[] = {
		{ .typed = "q", .asks = FACE_QUIT }, { .typed = "xzQ", .asks = FACE_QUIT },
		{ .typed = "x\x01\xff\xc3\xa4" }, { .typed = "\x1b" }, { .typed = "\x1b[" }, { .typed = "\x1b[1;5" },
		{ .typed = "\x1b[B", .asks = FACE_AGAIN, .scroll = 1 },
		{ .typed = "\x1bOB\x1b[B\x1b[A", .asks = FACE_AGAIN, .scroll = 1 },
		{ .typed = "\x1b[A", .asks = FACE_AGAIN },
		{ .typed = "\x1b[C", .asks = FACE_LINE, .interval_ms = 2000 },
		{ .typed = "\x1b[1;5C", .asks = FACE_LINE, .interval_ms = 2000 },
		{ .typed = "\x1b[D\x1b[D", .asks = FACE_LINE, .interval_ms = 250 },
		{ .typed = "+", .asks = FACE_LINE, .interval_ms = 2000 },
		{ .typed = "--", .asks = FACE_LINE, .interval_ms = 250 },
		{ .typed = "1", .asks = FACE_AGAIN, .list = LIST_CPU },
		{ .typed = "\x1b[B2", .asks = FACE_AGAIN, .list = LIST_MEMORY },
		{ .typed = "3", .asks = FACE_AGAIN, .list = LIST_IO }, { .typed = "30", .asks = FACE_AGAIN },
		{ .typed = "k", .asks = FACE_LINE, .no_kernel = true }, { .typed = "kk", .asks = FACE_LINE },
		{ .typed = " ", .asks = FACE_AGAIN, .paused = true }, { .typed = "  ", .asks = FACE_LINE },
		{ .typed = "?", .asks = FACE_AGAIN, .help = true }, { .typed = "h", .asks = FACE_AGAIN, .help = true },
		{ .typed = "hh", .asks = FACE_AGAIN },
		{ .typed = "\x1b" "q", .asks = FACE_QUIT }, { .typed = "\x1b\x1b[1~q", .asks = FACE_QUIT },
		{ .typed = "\x1b[q" }, { .typed = "\x1b[12\x1b" }, { .typed = "\x1bOq" }, { .typed = "\x1b[200~" },
		{ .typed = "\f", .asks = FACE_AGAIN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t length = strlen(rows[i].typed);

		/* in one piece, and cut at each place */
		for (size_t at = 0; at <= length; at++) {
			struct screen screen = { 0 };
			struct options o = options_all();
			enum face_asks first = screen_keys(&screen, &o, rows[i].typed, at);
			enum face_asks asks = screen_keys(&screen, &o, rows[i].typed + at, length - at);

			if (first > asks)
				asks = first;
			if (asks != rows[i].asks)
				print_error("row %zu, cut at %zu: %d\n", i, at, asks);
			assert_int_equal(asks, rows[i].asks);
			assert_int_equal(o.interval_ms, rows[i].interval_ms ? rows[i].interval_ms : 1000);
			assert_int_equal(screen.scroll, rows[i].scroll);
			assert_int_equal(o.list, rows[i].list);
			assert_int_equal(o.kernel_threads, !rows[i].no_kernel);
			assert_int_equal(screen.paused, rows[i].paused);
			assert_int_equal(screen.help, rows[i].help);
		}
	}
}

static void ends(void **state)
{
	struct screen screen = { 0 };
	struct options o = options_all();

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		screen_keys(&screen, &o, "\x1b[B++", 5);
		assert_true(screen.scroll <= TOP_MAX && o.interval_ms <= 60000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(golden), cmocka_unit_test(pictured), cmocka_unit_test(every_size), cmocka_unit_test(cut),
		cmocka_unit_test(scrolled), cmocka_unit_test(keys), cmocka_unit_test(ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
