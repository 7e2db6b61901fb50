/* SPDX-License-Identifier: MIT */
/*
 * From the top: headlines with bars and graphs, the lists, and below all the status. Each row is placed by its number and
 * ends at the window's edge, so nothing wraps or scrolls whatever the window's size; what is not written is erased.
 */
#include "emit/screen.h"

#include "emit/control.h"
#include "emit/format.h"
#include "emit/safe.h"
#include "emit/template.h"
#include "emit/utf8.h"

enum {
	ROWS_UNKNOWN = 24,
	COLUMNS_UNKNOWN = 80,
	ROWS_FOR_GRAPHS = 18,	/* in a lower window lists are worth more */
	ROWS_FOR_LISTS = 7,	/* and in one lower still the headlines */
	LABEL_WIDTH = 9,
	NOTE_WIDTH = 48,	/* what stands right of a bar */
	BAR_MIN = 10,
	NAME_WIDTH = 16,
	LISTS_SHOWN_MAX = 3,
};

/* ECMA-48 SGR. */
static const char bold[] = "1", dim[] = "2", reverse[] = "7", green[] = "32", yellow[] = "33", red[] = "31", cyan[] = "36";

struct view {
	struct text *out;
	const struct sample *s;
	const struct options *o;
	struct screen *screen;
	unsigned rows, columns;		/* of the window */
	unsigned row, column;		/* where the next character goes, from 0 */
};

/* ---- a row */

static void put_style(struct view *v, const char *style)
{
	if (!v->screen->colour)
		return;
	text_string(v->out, "\x1b[");
	text_string(v->out, style);
	text_char(v->out, 'm');
}

static void plain(struct view *v)
{
	put_style(v, "");
}

/* As much of it as the row has room for, in whole characters. */
static void put_bytes(struct view *v, const char *bytes, size_t size)
{
	uint32_t code;

	for (size_t i = 0, length; i < size; i += length) {
		unsigned width;

		length = utf8_read((const unsigned char *)bytes + i, size - i, &code);
		width = utf8_columns(code);
		if (v->column + width > v->columns) {
			for (; v->column < v->columns; v->column++)	/* half of a wide one */
				text_char(v->out, ' ');
			return;
		}
		text_bytes(v->out, bytes + i, length);
		v->column += width;
	}
}

static void put(struct view *v, const char *string)
{
	struct text t = { .data = NULL };

	while (string[t.used])
		t.used++;
	put_bytes(v, string, t.used);
}

static void put_styled(struct view *v, const char *style, const char *string)
{
	put_style(v, style);
	put(v, string);
	plain(v);
}

static void gap_to(struct view *v, unsigned column)
{
	while (v->column < column && v->column < v->columns)
		put(v, " ");
}

/* The cursor to the beginning of the next row. */
static void begin_row(struct view *v)
{
	text_string(v->out, "\x1b[");
	text_unsigned(v->out, v->row + 1);
	text_string(v->out, ";1H");
	v->column = 0;
}

/* Erasing where the last column is written would take that column. */
static void end_row(struct view *v)
{
	if (v->column < v->columns)
		text_string(v->out, "\x1b[K");
	v->row++;
}

/* A value of the sample as templates have it. */
static void put_template(struct view *v, const char *template)
{
	char data[512];
	struct text t = text_over(data, sizeof data);

	template_write(&t, template, v->s, SAFE_PLAIN);
	put_bytes(v, t.data, t.used);
}

static void put_right(struct view *v, const struct text *t, unsigned width)
{
	unsigned own = utf8_width(t->data, t->used);

	gap_to(v, v->column + (own < width ? width - own : 0));
	put_bytes(v, t->data, t->used);
}

static void put_number(struct view *v, void (*format)(struct text *out, uint64_t value), uint64_t value, unsigned width)
{
	char data[32];
	struct text t = text_over(data, sizeof data);

	format(&t, value);
	put_right(v, &t, width);
}

static void put_percent(struct view *v, uint32_t ppm, bool fine, unsigned width)
{
	char data[16];
	struct text t = text_over(data, sizeof data);

	format_percent(&t, ppm, fine);
	text_char(&t, '%');
	put_right(v, &t, width);
}

/* ---- headlines */

static void label(struct view *v, const char *name)
{
	begin_row(v);
	put_styled(v, bold, name);
	gap_to(v, LABEL_WIDTH);
}

static unsigned bar_width(const struct view *v)
{
	unsigned used = LABEL_WIDTH + 5 + NOTE_WIDTH;	/* " 42% " */

	return v->columns > used + BAR_MIN ? v->columns - used : BAR_MIN;
}

/* " 42% ████▌     ", in eighths of a column. */
static void put_bar(struct view *v, bool known, uint32_t ppm)
{
	char block[] = "\xe2\x96\x88";	/* U+2588, the full block; what follows is narrower by an eighth each */
	unsigned width = bar_width(v), eighths;

	if (!known) {
		put(v, "   – ");
		gap_to(v, v->column + width + 1);
		return;
	}
	put_percent(v, ppm, false, 4);
	put(v, " ");
	eighths = (unsigned)((uint64_t)(ppm < PPM ? ppm : PPM) * width * 8 / PPM);
	put_style(v, ppm >= 900000 ? red : ppm >= 700000 ? yellow : green);
	for (unsigned i = 0; i < width; i++) {
		unsigned part = eighths > i * 8 ? eighths - i * 8 : 0;

		block[2] = (char)(0x88 + 8 - (part < 8 ? part : 8));
		put(v, part ? block : " ");
	}
	plain(v);
	put(v, " ");
}

static void put_pressure(struct view *v, const char *template, enum pressure_kind kind)
{
	if (!v->s->pressure[kind].known)
		return;
	put_styled(v, dim, "  pressure ");
	put_template(v, template);
	put(v, "%");
}

/* From the label's column to the window's edge, or as far as the history reaches. */
static void graph_row(struct view *v, const struct series *series)
{
	char data[3 * HISTORY_MAX];
	struct text t = text_over(data, sizeof data);
	unsigned width = v->columns > LABEL_WIDTH ? v->columns - LABEL_WIDTH : 0;

	begin_row(v);
	gap_to(v, LABEL_WIDTH);
	format_graph(&t, series, width < HISTORY_MAX ? width : HISTORY_MAX);
	put_style(v, cyan);
	put_bytes(v, t.data, t.used);
	plain(v);
	end_row(v);
}

static void load_row(struct view *v)
{
	label(v, "Load");
	put_template(v, "{load1} {load5} {load15}   {cpus} CPUs   {tasks} tasks, {running} running");
	if (v->s->known & KNOWS_PROFILE)
		put_template(v, "   {profile}");
	if (v->s->battery_count)
		put_template(v, "   battery {battery}%");
	end_row(v);
}

static void cpu_row(struct view *v)
{
	const struct sample *s = v->s;

	label(v, "CPU");
	put_bar(v, s->known & KNOWS_RATES, s->cpu_ppm);
	if (s->known & KNOWS_FREQUENCY)
		put_template(v, "  {freq}");
	if (s->known & KNOWS_TEMPERATURE)
		put_template(v, "  {temp}°C");
	put_pressure(v, "{pressure_cpu}", PRESSURE_CPU);
	for (unsigned i = 0; i < s->throttled_count && i < THROTTLED_MAX; i++) {
		put_style(v, red);
		put(v, i ? ", " : "  throttled: ");
		put(v, s->throttled[i]);
		plain(v);
	}
	end_row(v);
}

static void memory_row(struct view *v)
{
	const struct sample *s = v->s;

	label(v, "Memory");
	put_bar(v, s->known & KNOWS_MEMORY, format_share(s->memory_used_bytes, s->memory_total_bytes));
	put_template(v, "  {mem_used} of {mem_total}");
	put_pressure(v, "{pressure_memory}", PRESSURE_MEMORY);
	end_row(v);
}

static void swap_row(struct view *v)
{
	const struct sample *s = v->s;

	label(v, "Swap");
	put_bar(v, true, format_share(s->swap_used_bytes, s->swap_total_bytes));
	put_template(v, "  {swap_used} of {swap_total}");
	if (s->known & KNOWS_SWAP_RATES) {
		put_styled(v, dim, "  in ");
		put_number(v, format_rate, s->swap_in_bytes_per_second, 0);
		put_styled(v, dim, "  out ");
		put_number(v, format_rate, s->swap_out_bytes_per_second, 0);
	}
	end_row(v);
}

static void io_row(struct view *v)
{
	label(v, "IO");
	put_template(v, "read {io_read}  write {io_write}");
	put_pressure(v, "{pressure_io}", PRESSURE_IO);
	end_row(v);
}

static void gpu_row(struct view *v)
{
	label(v, "GPU");
	put_template(v, "{gpu}%  {gpu_freq}  {gpu_temp}°C  memory {gpu_mem}%");
	end_row(v);
}

static void blocked_row(struct view *v)
{
	const struct sample *s = v->s;
	char data[SAFE_GROWTH * TASK_NAME_SIZE + 4];

	label(v, "Blocked");
	for (unsigned i = 0; i < s->blocked_listed && i < BLOCKED_MAX; i++) {
		struct text t = text_over(data, sizeof data);

		if (i)
			put(v, ", ");
		safe_name(&t, s->blocked[i].name, sizeof s->blocked[i].name, SAFE_PLAIN);
		text_char(&t, ' ');
		text_char(&t, s->blocked[i].state);
		put_bytes(v, t.data, t.used);
	}
	if (s->blocked_count > s->blocked_listed) {
		put(v, " +");
		put_number(v, text_unsigned, s->blocked_count - s->blocked_listed, 0);
	}
	end_row(v);
}

/* Some of them, so that the lists have room where there is any. */
static void put_headlines(struct view *v)
{
	const struct sample *s = v->s;
	bool graphs = v->rows >= ROWS_FOR_GRAPHS;
	/* what is below: lists and status */
	unsigned last = v->rows == 1 ? 1 : v->rows < ROWS_FOR_LISTS ? v->rows - 1 : v->rows - 4;

	if (v->rows > 2)
		load_row(v);
	if (v->row < last)
		cpu_row(v);
	if (graphs)
		graph_row(v, &s->cpu_history);
	if (v->row < last)
		memory_row(v);
	if (graphs)
		graph_row(v, &s->memory_history);
	if (v->row < last && s->known & KNOWS_MEMORY && s->swap_total_bytes)
		swap_row(v);
	if (v->row < last)
		io_row(v);
	if (v->row < last && graphs && s->gpu_count)
		gpu_row(v);
	if (v->row < last && s->blocked_count)
		blocked_row(v);
}

/* ---- lists */

static const struct top_list *list_of(const struct sample *s, enum list list)
{
	return list == LIST_MEMORY ? &s->top_memory : list == LIST_IO ? &s->top_io : &s->top_cpu;
}

static uint32_t length_of(const struct sample *s, enum list list)
{
	uint32_t count = list_of(s, list)->count;

	if (list != LIST_MEMORY && !(s->known & KNOWS_RATES))
		return 0;
	return count < TOP_MAX ? count : TOP_MAX;
}

static void title_row(struct view *v, enum list list)
{
	static const char *const titles[LISTS] = {
		[LIST_CPU] = "     CPU  NAME                     PID  THREADS",
		[LIST_MEMORY] = "  MEMORY  NAME                     PID",
		[LIST_IO] = "    READ    WRITE  NAME                     PID",
	};

	begin_row(v);
	put_style(v, reverse);
	put(v, titles[list]);
	if (v->screen->colour)
		gap_to(v, v->columns);
	plain(v);
	end_row(v);
}

static void put_who(struct view *v, enum list list, const struct top_entry *entry)
{
	char data[SAFE_GROWTH * TASK_NAME_SIZE];
	struct text t = text_over(data, sizeof data);
	unsigned name = v->column + 2;

	gap_to(v, name);
	safe_name(&t, entry->name, sizeof entry->name, SAFE_PLAIN);
	put_bytes(v, t.data, t.used);
	gap_to(v, name + NAME_WIDTH);
	t.used = 0;
	if (entry->ended) {
		text_string(&t, "×");
		text_unsigned(&t, entry->ended);
		text_string(&t, " ended");
	} else {
		text_unsigned(&t, entry->pid);
	}
	put_style(v, dim);
	put_right(v, &t, 12);
	if (list == LIST_CPU && !entry->ended && entry->threads > 1 && v->column < v->columns)
		put_number(v, text_unsigned, entry->threads, 9);
	plain(v);
}

static void entry_row(struct view *v, enum list list, const struct top_entry *entry)
{
	begin_row(v);
	switch (list) {
	case LIST_MEMORY: put_number(v, format_bytes, entry->rss_bytes, 8); break;
	case LIST_IO:
		put_number(v, format_rate, entry->read_bytes_per_second, 8);
		put_number(v, format_rate, entry->write_bytes_per_second, 9);
		break;
	default: put_percent(v, entry->cpu_ppm, true, 8); break;
	}
	put_who(v, list, entry);
	end_row(v);
}

/* Each list has what it needs, where others leave it so much, else its share. The first is the one that scrolls. */
static void put_lists(struct view *v)
{
	enum list first = v->o->list == LIST_ALL ? LIST_CPU : v->o->list;
	unsigned lists = v->o->list == LIST_ALL ? LISTS_SHOWN_MAX : 1;
	unsigned end = v->rows - 1;	/* the status */

	for (unsigned i = 0; i < lists && v->row + 2 <= end; i++) {
		enum list list = first + i;
		const struct top_list *top = list_of(v->s, list);
		uint32_t length = length_of(v->s, list), later = 0, at = 0;
		unsigned left = end - v->row, share = left / (lists - i);

		for (unsigned j = i + 1; j < lists; j++)
			later += length_of(v->s, first + j) + 1;
		if (left > later && left - later > share)
			share = left - later;
		if (share < 2)
			share = 2;
		title_row(v, list);
		if (i == 0) {
			uint32_t most = length >= share ? length - (share - 1) : 0;

			/* kept: who has gone too far comes back at once */
			if (v->screen->scroll > most)
				v->screen->scroll = most;
			at = v->screen->scroll;
		}
		for (unsigned row = 1; row < share && at < length; row++)
			entry_row(v, list, &top->entry[at++]);
	}
}

static void put_status(struct view *v)
{
	v->row = v->rows - 1;
	begin_row(v);
	if (v->screen->paused) {
		put_styled(v, reverse, " paused ");
		put(v, " ");
	}
	if (v->screen->help) {
		put(v, "q quit  1 CPU 2 memory 3 IO 0 all  ↑↓ scroll  ←→ - + interval  space pause  k kernel  ? keys");
		end_row(v);
		return;
	}
	put_style(v, dim);
	put_template(v, "every {interval}, by ");
	put(v, format_source(v->s->source));
	if (!v->o->kernel_threads)
		put(v, ", no kernel threads");
	put(v, "   ? keys");
	if (v->s->without_slot)
		put(v, "   too many tasks: try a larger --max-tasks");
	plain(v);
	end_row(v);
}

static unsigned within(unsigned value, unsigned unknown, unsigned max)
{
	return !value ? unknown : value < max ? value : max;
}

void screen_write(struct text *out, const struct sample *s, const struct options *o, struct screen *screen)
{
	struct view v = {
		.out = out, .s = s, .o = o, .screen = screen,
		.rows = within(screen->rows, ROWS_UNKNOWN, SCREEN_ROWS_MAX),
		.columns = within(screen->columns, COLUMNS_UNKNOWN, SCREEN_COLUMNS_MAX),
	};

	put_headlines(&v);
	put_lists(&v);
	while (v.row + 1 < v.rows) {
		begin_row(&v);
		end_row(&v);
	}
	if (v.rows > 1 || screen->help || screen->paused)
		put_status(&v);
}

/* ---- keys */

enum { KEYS_PLAIN, KEYS_ESCAPE, KEYS_SEQUENCE, KEYS_SHIFTED };

static enum face_asks scroll(struct screen *screen, int by)
{
	if (by < 0 && screen->scroll)
		screen->scroll--;
	if (by > 0 && screen->scroll < TOP_MAX)
		screen->scroll++;
	return FACE_AGAIN;
}

static enum face_asks choose(struct screen *screen, struct options *o, enum list list)
{
	o->list = list;
	screen->scroll = 0;
	return FACE_AGAIN;
}

static enum face_asks change(struct options *o, void (*control)(struct options *o))
{
	control(o);
	return FACE_LINE;
}

static enum face_asks take_arrow(struct screen *screen, struct options *o, char final)
{
	switch (final) {
	case 'A': return scroll(screen, -1);
	case 'B': return scroll(screen, 1);
	case 'C': return change(o, control_slower);
	case 'D': return change(o, control_faster);
	default: return FACE_NOTHING;
	}
}

static enum face_asks take_key(struct screen *screen, struct options *o, char key)
{
	switch (key) {
	case 'q': case 'Q': return FACE_QUIT;
	case ' ': screen->paused = !screen->paused; return screen->paused ? FACE_AGAIN : FACE_LINE;
	case 'k': return change(o, control_kernel_threads);
	case '0': case '1': case '2': case '3': return choose(screen, o, (enum list)(LIST_ALL + key - '0'));
	case '+': case '=': return change(o, control_slower);
	case '-': return change(o, control_faster);
	case '?': case 'h': screen->help = !screen->help; return FACE_AGAIN;
	case '\f': return FACE_AGAIN;
	default: return FACE_NOTHING;
	}
}

/* ECMA-48: CSI (ESC [), parameters, a final byte 0x40 to 0x7e; SS3 (ESC O) and one byte, of terminals in application mode. */
static enum face_asks take_byte(struct screen *screen, struct options *o, char byte)
{
	uint8_t state = screen->keys;

	screen->keys = KEYS_PLAIN;
	switch (state) {
	case KEYS_SEQUENCE:
		if (byte >= 0x40 && byte <= 0x7e)
			return take_arrow(screen, o, byte);
		screen->keys = byte >= 0x20 ? KEYS_SEQUENCE : KEYS_PLAIN;
		return FACE_NOTHING;
	case KEYS_SHIFTED: return take_arrow(screen, o, byte);
	case KEYS_ESCAPE:
		if (byte == '[' || byte == 'O') {
			screen->keys = byte == '[' ? KEYS_SEQUENCE : KEYS_SHIFTED;
			return FACE_NOTHING;
		}
		break;
	default: break;
	}
	if (byte == '\x1b') {
		screen->keys = KEYS_ESCAPE;
		return FACE_NOTHING;
	}
	return take_key(screen, o, byte);
}

enum face_asks screen_keys(struct screen *screen, struct options *o, const char *data, size_t size)
{
	enum face_asks all = FACE_NOTHING;

	for (size_t i = 0; i < size && all != FACE_QUIT; i++) {
		enum face_asks asks = take_byte(screen, o, data[i]);

		if (asks > all)
			all = asks;
	}
	return all;
}
