/* SPDX-License-Identifier: MIT */
#include "emit/panel.h"

#include "emit/format.h"
#include "emit/safe.h"
#include "emit/utf8.h"
#include "emit/words.h"

/*
 * The grid. A section is a headline and its top list:
 *
 *	0         10                           39
 *	CPU         7%   3.4GHz    54°C        pressure   1%
 *	     12%  firefox             1234567  98 threads
 *	    3.1%  cc1              ×212 ended
 */
enum {
	VALUE_WIDTH = 8,
	NAME_WIDTH = 16,	/* a comm has 15 bytes, so at most 15 columns */
	PID_WIDTH = 11,	/* "×9999 ended", or a pid (at most 4194304) */
	MAIN_WIDTH = 26,	/* a headline's first field */
	BLOCKED_SHOWN = 5,
	LABEL_WIDTH = 10,
	GRAPH_WIDTH = PANEL_COLUMNS - LABEL_WIDTH,
	PERCENT_WIDTH = 4,	/* " 42%", and what stands there where it is not known */
	DRIVER_WIDTH = 8,	/* of a headline's second field, which has 25 columns */
};

struct marks {
	enum safe_for names;
	const char *begin, *end, *line_end, *bold, *bold_end, *dim, *dim_end;
};

static const struct marks styles[] = {
	[PANEL_PLAIN] = { SAFE_PLAIN, "", "", "\n", "", "", "", "" },
	[PANEL_JSON] = { SAFE_JSON, "", "", "\\n", "", "", "", "" },
	[PANEL_MARKUP_JSON] = { SAFE_PANGO_JSON, "<tt>", "</tt>", "\\n", "<b>", "</b>",
				"<span alpha='60%'>", "</span>" },
};

static const char absent[] = "   –";

struct panel {
	struct text *out;
	const struct sample *s;
	const struct marks *marks;
	enum list list;
};

static bool shows(const struct panel *p, enum list list)
{
	return p->list == LIST_ALL || p->list == list;
}

static void put(struct panel *p, const char *string)
{
	text_string(p->out, string);
}

static void put_dim(struct panel *p, const char *string)
{
	put(p, p->marks->dim);
	put(p, string);
	put(p, p->marks->dim_end);
}

static void end_line(struct panel *p)
{
	put(p, p->marks->line_end);
}

/* A label takes the first ten columns. */
static void put_label(struct panel *p, const char *label)
{
	put(p, p->marks->bold);
	put(p, label);
	put(p, p->marks->bold_end);
}

static void put_name(struct panel *p, const char *name, size_t size, unsigned width)
{
	format_gap(p->out, safe_name(p->out, name, size, p->marks->names), width);
}

static void put_percent(struct panel *p, uint32_t ppm, bool fine, unsigned width)
{
	size_t start = p->out->used;

	format_percent(p->out, ppm, fine);
	text_char(p->out, '%');
	format_right(p->out, start, width);
}

static void put_bytes(struct panel *p, uint64_t bytes, unsigned width)
{
	size_t start = p->out->used;

	format_bytes(p->out, bytes);
	format_right(p->out, start, width);
}

static void put_rate(struct panel *p, uint64_t bytes_per_second, unsigned width)
{
	size_t start = p->out->used;

	format_rate(p->out, bytes_per_second);
	format_right(p->out, start, width);
}

/* The second field of a headline whose first began at `main`. */
static void put_pressure(struct panel *p, size_t main, enum pressure_kind kind)
{
	const struct pressure *pressure = &p->s->pressure[kind];

	if (!pressure->known)
		return;
	format_left(p->out, main, MAIN_WIDTH);
	put_dim(p, "   pressure ");
	put_percent(p, pressure->some_ppm, false, 4);
	if (pressure->full_known && pressure->full_ppm >= PPM / 100) {
		put_dim(p, "   full ");
		put_percent(p, pressure->full_ppm, false, 4);
	}
}

/* Three digits, whatever their weight: 0.52 12.3 117 */
static void put_average(struct panel *p, uint32_t load_milli, unsigned width)
{
	size_t start = p->out->used;

	text_fixed(p->out, load_milli, 3, load_milli < 9995 ? 2 : load_milli < 99950 ? 1 : 0);
	format_right(p->out, start, width);
}

static void put_load(struct panel *p)
{
	size_t main;

	put_label(p, "Load      ");
	main = p->out->used;
	for (unsigned i = 0; i < 3 && (p->s->known & KNOWS_LOAD); i++) {
		put_average(p, p->s->load_milli[i], i ? 9 : 4);
	}
	format_left(p->out, main, MAIN_WIDTH + 3);
	text_unsigned(p->out, p->s->cpus);
	put_dim(p, p->s->cpus == 1 ? " CPU" : " CPUs");
	end_line(p);
}

static void put_power(struct panel *p)
{
	const struct sample *s = p->s;
	unsigned columns = 0;

	if (!(s->known & KNOWS_PROFILE) && !s->throttled_count)
		return;
	put_label(p, "Power     ");
	if (s->known & KNOWS_PROFILE)
		columns = safe_name(p->out, s->power_profile, sizeof s->power_profile,
				    p->marks->names);
	if (s->throttled_count)
		format_gap(p->out, columns, MAIN_WIDTH);
	for (unsigned i = 0; i < s->throttled_count; i++) {
		if (i)
			put(p, ", ");
		else
			put_label(p, "   throttled: ");
		put_name(p, s->throttled[i], word_length(s->throttled[i]), 0);
	}
	end_line(p);
}

/* A row of a top list after its value; what there is to add follows, then end_row(). */
static void put_row(struct panel *p, const struct top_entry *entry)
{
	size_t start;

	put(p, "  ");
	put_name(p, entry->name, sizeof entry->name, NAME_WIDTH);
	put(p, p->marks->dim);
	start = p->out->used;
	if (entry->ended) {
		put(p, "×");
		text_unsigned(p->out, entry->ended);
		put(p, " ended");
	} else {
		text_unsigned(p->out, entry->pid);
	}
	format_right(p->out, start, PID_WIDTH);
}

static void end_row(struct panel *p)
{
	put(p, p->marks->dim_end);
	end_line(p);
}

static void put_threads(struct panel *p, const struct top_entry *entry)
{
	if (entry->ended || entry->threads < 2)
		return;
	put(p, "  ");
	text_unsigned(p->out, entry->threads);
	put(p, " threads");
}

static void put_blocked(struct panel *p)
{
	const struct sample *s = p->s;
	uint32_t shown = s->blocked_listed < BLOCKED_SHOWN ? s->blocked_listed : BLOCKED_SHOWN;

	if (!s->blocked_count)
		return;
	put_label(p, "Blocked   ");
	for (unsigned i = 0; i < shown; i++) {
		put(p, i ? ", " : "");
		put_name(p, s->blocked[i].name, sizeof s->blocked[i].name, 0);
		put(p, p->marks->dim);
		text_char(p->out, ' ');
		text_char(p->out, s->blocked[i].state);
		put(p, p->marks->dim_end);
	}
	if (s->blocked_count > shown) {
		put(p, shown ? ", " : "");
		text_unsigned(p->out, s->blocked_count - shown);
		put(p, shown ? " more" : " tasks");
	}
	end_line(p);
}

static void put_frequency(struct panel *p, uint64_t hz)
{
	size_t start;

	put(p, "   ");
	start = p->out->used;
	format_frequency(p->out, hz);
	format_right(p->out, start, 6);
}

static void put_temperature(struct panel *p, int32_t millicelsius)
{
	size_t start;

	put(p, "   ");
	start = p->out->used;
	format_degrees(p->out, millicelsius);
	put(p, "°C");
	format_right(p->out, start, 5);
}

/* Once there is something to show: the newest stands at the right, so that no line ends in spaces. */
static void put_graph(struct panel *p, const struct series *series)
{
	if (!series->count)
		return;
	format_gap(p->out, 0, LABEL_WIDTH);
	put(p, p->marks->dim);
	format_graph(p->out, series, GRAPH_WIDTH);
	put(p, p->marks->dim_end);
	end_line(p);
}

static void put_cpu(struct panel *p)
{
	const struct sample *s = p->s;
	size_t main;

	end_line(p);
	put_label(p, "CPU       ");
	main = p->out->used;
	if (s->known & KNOWS_RATES)
		put_percent(p, s->cpu_ppm, false, 4);
	else
		put(p, absent);
	if (s->known & KNOWS_FREQUENCY)
		put_frequency(p, s->frequency_fastest_hz);
	if (s->known & KNOWS_TEMPERATURE)
		put_temperature(p, s->temperature_millicelsius);
	put_pressure(p, main, PRESSURE_CPU);
	end_line(p);
	put_graph(p, &s->cpu_history);
	put_blocked(p);
	for (unsigned i = 0; i < s->top_cpu.count && (s->known & KNOWS_RATES) && shows(p, LIST_CPU); i++) {
		put_percent(p, s->top_cpu.entry[i].cpu_ppm, true, VALUE_WIDTH);
		put_row(p, &s->top_cpu.entry[i]);
		put_threads(p, &s->top_cpu.entry[i]);
		end_row(p);
	}
}

static void put_watts(struct panel *p, uint64_t microwatts, unsigned width)
{
	size_t start = p->out->used;

	text_fixed(p->out, microwatts, 6, microwatts < 9950000 ? 1 : 0);
	text_char(p->out, 'W');
	format_right(p->out, start, width);
}

/* The second field of a headline whose first has `columns`: whose it is, dim. What follows begins DRIVER_WIDTH later. */
static void put_device(struct panel *p, unsigned columns, const char *name, bool more)
{
	format_gap(p->out, columns, MAIN_WIDTH + 3);
	put(p, p->marks->dim);
	put_name(p, name, DRIVER_WIDTH, more ? DRIVER_WIDTH + 2 : 0);
	put(p, p->marks->dim_end);
}

/* What of it there is room for: why it throttles, else its memory, else its power. */
static void put_gpu_rest(struct panel *p, const struct gpu_entry *gpu)
{
	if (gpu->throttled_count) {
		put(p, "held: ");
		safe_name(p->out, gpu->throttled[0], 9, p->marks->names);
	} else if (gpu->known & GPU_KNOWS_MEMORY) {
		put_bytes(p, gpu->memory_used_bytes, 4);
		put(p, " of ");
		put_bytes(p, gpu->memory_total_bytes, 4);
	} else if (gpu->known & GPU_KNOWS_POWER) {
		put_watts(p, gpu->power_microwatts, 5);
	}
}

static void put_gpus(struct panel *p)
{
	for (unsigned i = 0; i < p->s->gpu_count; i++) {
		const struct gpu_entry *gpu = &p->s->gpu[i];
		size_t main;

		put_label(p, "GPU       ");
		main = p->out->used;
		if (gpu->state == GPU_ASLEEP)
			put(p, "asleep");
		else if (gpu->known & GPU_KNOWS_BUSY)
			put_percent(p, gpu->busy_ppm, false, 4);
		else
			put(p, absent);
		if (gpu->known & GPU_KNOWS_FREQUENCY)
			put_frequency(p, gpu->frequency_hz);
		if (gpu->known & GPU_KNOWS_TEMPERATURE)
			put_temperature(p, gpu->temperature_millicelsius);
		put_device(p, utf8_width(p->out->data + main, p->out->used - main), gpu->driver[0] ? gpu->driver : gpu->name,
			   gpu->throttled_count || gpu->known & (GPU_KNOWS_MEMORY | GPU_KNOWS_POWER));
		put_gpu_rest(p, gpu);
		end_line(p);
	}
}

static void put_batteries(struct panel *p)
{
	for (unsigned i = 0; i < p->s->battery_count; i++) {
		const struct battery_entry *battery = &p->s->battery[i];
		unsigned columns = PERCENT_WIDTH;

		put_label(p, "Battery   ");
		if (battery->known & BATTERY_KNOWS_RATIO)
			put_percent(p, battery->charge_ppm, false, PERCENT_WIDTH);
		else
			put(p, absent);
		if (battery->status[0]) {
			put(p, "   ");
			columns += 3 + safe_name(p->out, battery->status, sizeof battery->status, p->marks->names);
		}
		put_device(p, columns, battery->name, battery->known & BATTERY_KNOWS_POWER);
		if (battery->known & BATTERY_KNOWS_POWER)
			put_watts(p, battery->power_microwatts, 5);
		end_line(p);
	}
}

/* " 20%   6.2G of  31G" */
static void put_used(struct panel *p, uint64_t used, uint64_t total)
{
	put_percent(p, format_share(used, total), false, 4);
	put(p, "   ");
	put_bytes(p, used, 4);
	put(p, " of ");
	put_bytes(p, total, 4);
}

static void put_swap(struct panel *p)
{
	const struct sample *s = p->s;
	size_t main;

	if (!(s->known & KNOWS_MEMORY) || !s->swap_total_bytes)
		return;
	put_label(p, "Swap      ");
	main = p->out->used;
	put_used(p, s->swap_used_bytes, s->swap_total_bytes);
	if (s->known & KNOWS_SWAP_RATES) {
		format_left(p->out, main, MAIN_WIDTH);
		put_dim(p, "   in ");
		put_rate(p, s->swap_in_bytes_per_second, 6);
		put_dim(p, "   out ");
		put_rate(p, s->swap_out_bytes_per_second, 6);
	}
	end_line(p);
}

static void put_memory(struct panel *p)
{
	const struct sample *s = p->s;
	size_t main;

	end_line(p);
	put_label(p, "Memory    ");
	main = p->out->used;
	if (s->known & KNOWS_MEMORY)
		put_used(p, s->memory_used_bytes, s->memory_total_bytes);
	else
		put(p, absent);
	put_pressure(p, main, PRESSURE_MEMORY);
	end_line(p);
	put_graph(p, &s->memory_history);
	put_swap(p);
	for (unsigned i = 0; i < s->top_memory.count && shows(p, LIST_MEMORY); i++) {
		put_bytes(p, s->top_memory.entry[i].rss_bytes, VALUE_WIDTH);
		put_row(p, &s->top_memory.entry[i]);
		end_row(p);
	}
}

/* "read  12M/s  write 1.2M/s" */
static void put_directions(struct panel *p, uint64_t read, uint64_t write)
{
	put(p, "read ");
	put_rate(p, read, 6);
	put(p, "  write ");
	put_rate(p, write, 6);
}

static void put_io(struct panel *p)
{
	const struct sample *s = p->s;
	size_t main;

	end_line(p);
	put_label(p, "IO        ");
	main = p->out->used;
	if (s->known & KNOWS_RATES)
		put_directions(p, s->read_bytes_per_second, s->write_bytes_per_second);
	else
		put(p, absent);
	put_pressure(p, main, PRESSURE_IO);
	end_line(p);
	for (unsigned i = 0; i < s->top_io.count && (s->known & KNOWS_RATES) && shows(p, LIST_IO); i++) {
		const struct top_entry *entry = &s->top_io.entry[i];

		put_rate(p, entry->read_bytes_per_second + entry->write_bytes_per_second,
			 VALUE_WIDTH);
		put_row(p, entry);
		put(p, "  ");
		put_directions(p, entry->read_bytes_per_second, entry->write_bytes_per_second);
		end_row(p);
	}
}

/*
 * The next of 10, 20, 50, 100, ... above the cost in microseconds: the figure itself is never twice
 * the same.
 */
static uint64_t cost_bound_ns(uint64_t cost_ns)
{
	static const uint64_t steps[] = { 1, 2, 5 };
	uint64_t decade = 10000;

	for (;; decade *= 10) {
		for (unsigned i = 0; i < 3; i++) {
			if (cost_ns < steps[i] * decade || decade > UINT64_MAX / 100)
				return steps[i] * decade;
		}
	}
}

/* Where there are more tasks than slots, and what that has cost since the start. */
static void put_slots(struct panel *p)
{
	const struct sample *s = p->s;

	if (s->without_slot) {
		put(p, p->marks->bold);
		put(p, "tasks: ");
		text_unsigned(p->out, s->without_slot);
		put(p, " without a slot, try a larger --max-tasks");
		put(p, p->marks->bold_end);
		end_line(p);
	}
	if (s->dropped || s->lost) {
		put(p, "since start: ");
		text_unsigned(p->out, s->dropped);
		put(p, " tasks dropped, ");
		text_unsigned(p->out, s->lost);
		put(p, " lost");
		end_line(p);
	}
}

static void put_footer(struct panel *p)
{
	const struct sample *s = p->s;

	end_line(p);
	put_slots(p);
	put(p, p->marks->dim);
	put(p, "sampled in under ");
	format_duration(p->out, cost_bound_ns(s->cost_ns));
	put(p, ", every ");
	format_duration(p->out, s->interval_ms * 1000000);
	put(p, ", by ");
	put(p, format_source(s->source));
	put(p, p->marks->dim_end);
	if (!s->reason[0])
		return;
	end_line(p);
	put(p, p->marks->dim);
	put(p, "no probe: ");
	put_name(p, s->reason, sizeof s->reason, 0);
	put(p, p->marks->dim_end);
}

void panel_write(struct text *out, const struct sample *s, enum panel_style style, enum list list)
{
	struct panel panel = { .out = out, .s = s, .marks = &styles[style], .list = list };

	put(&panel, panel.marks->begin);
	put_load(&panel);
	put_power(&panel);
	put_batteries(&panel);
	put_gpus(&panel);
	put_cpu(&panel);
	put_memory(&panel);
	put_io(&panel);
	put_footer(&panel);
	put(&panel, panel.marks->end);
}
