/* SPDX-License-Identifier: MIT */
#include "emit/term.h"

#include "emit/panel.h"
#include "emit/screen.h"
#include "loader/sys.h"

enum { STDOUT = 1 };

static struct screen screen;

static void term_write(struct text *out, const struct sample *s, const struct options *o)
{
	static struct sample shown;	/* what a pause holds */
	struct sys_winsize size = { 0 };

	if (!o->live) {
		panel_write(out, s, PANEL_PLAIN, o->list);
		text_string(out, o->once ? "\n" : "\n\n");
		return;
	}
	sys_ioctl(STDOUT, SYS_TIOCGWINSZ, &size);
	screen.rows = size.rows;
	screen.columns = size.columns;
	screen.colour = o->colour;
	if (!screen.paused)
		shown = *s;
	shown.interval_ms = s->interval_ms;
	screen_write(out, &shown, o, &screen);
}

static enum face_asks term_input(struct options *o, const char *data, size_t size)
{
	return screen_keys(&screen, o, data, size);
}

void term_set(struct options *o)
{
	if (!o->top_set)
		o->top_rows = TOP_MAX;
	if (!o->min_cpu_set)
		o->min_cpu_ppm = 0;
	if (!o->min_memory_set)
		o->min_memory_bytes = 0;
	if (!o->min_io_set)
		o->min_io_bytes_per_second = 0;
	o->min_cpu_set = o->min_memory_set = o->min_io_set = true;
}

const struct face term_face = {
	.name = "term",
	.summary = "a live view of a terminal, or the whole panel as text",
	.write = term_write,
	.input = term_input,
	.input_live = true,
};
