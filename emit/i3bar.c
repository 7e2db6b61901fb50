/* SPDX-License-Identifier: MIT */
#include "emit/i3bar.h"

#include "emit/click.h"
#include "emit/control.h"
#include "emit/format.h"
#include "emit/levels.h"
#include "emit/loop.h"
#include "emit/safe.h"
#include "emit/template.h"
#include "emit/utf8.h"

enum { BLOCKS_MAX = 9, BLOCK_SIZE_MAX = 384 /* without the user's texts */ };

static const char name[] = "rstat";

static const char *const colours[LEVELS] = { NULL, "#ffb52a", "#ff5555" };

/* What is shown, as templates; min: as wide as it ever gets, so that the bar does not move. */
struct block {
	const char *instance, *text, *brief, *min;
	enum level level;
};

struct blocks {
	struct text *out;
	const struct sample *s;
	bool any;
};

static void put_key(struct text *out, const char *key)
{
	text_string(out, ",\"");
	text_string(out, key);
	text_string(out, "\":");
}

/* The length of the character at `at`, an escape of JSON or UTF-8; more than `size` for one that is not all there. */
static size_t character(const char *at, size_t size)
{
	uint32_t code;
	size_t length;

	if (*at == '\\')
		return size > 1 && at[1] == 'u' ? 6 : 2;
	length = utf8_read((const unsigned char *)at, size, &code);
	/* what was written is UTF-8: the replacement that is read here is a real one, or stands for a part */
	return code == UTF8_REPLACEMENT && (length < 3 || *at != '\xef') ? size + 1 : length;
}

/* Where a text inside a JSON string ran out of room within a character, without that one. */
static void trim(struct text *t)
{
	size_t used = 0, length;

	while (used < t->used) {
		length = character(t->data + used, t->used - used);
		if (length > t->used - used)
			break;
		used += length;
	}
	t->used = used;
}

/* A template as a JSON string, of at most I3BAR_TEXT_MAX bytes and the quotes. */
static void put_text(struct text *out, const char *template, const struct sample *s)
{
	char data[I3BAR_TEXT_MAX];
	struct text t = text_over(data, sizeof data);

	template_write(&t, template, s, SAFE_JSON_LINE);
	if (t.cut)
		trim(&t);
	text_char(out, '"');
	text_bytes(out, data, t.used);
	text_char(out, '"');
}

static void open_block(struct blocks *b, const char *instance)
{
	text_string(b->out, b->any ? ",{\"name\":" : "{\"name\":");
	json_string(b->out, name);
	put_key(b->out, "instance");
	json_string(b->out, instance);
	b->any = true;
}

static void close_block(struct blocks *b, enum level level)
{
	if (colours[level]) {
		put_key(b->out, "color");
		json_string(b->out, colours[level]);
	}
	put_key(b->out, "urgent");
	text_string(b->out, level == LEVEL_CRITICAL ? "true" : "false");
	put_key(b->out, "markup");
	text_string(b->out, "\"none\"}");
}

static void put_block(struct blocks *b, const struct block *block)
{
	open_block(b, block->instance);
	put_key(b->out, "full_text");
	put_text(b->out, block->text, b->s);
	if (block->brief) {
		put_key(b->out, "short_text");
		put_text(b->out, block->brief, b->s);
	}
	if (block->min) {
		put_key(b->out, "min_width");
		json_string(b->out, block->min);
		put_key(b->out, "align");
		text_string(b->out, "\"right\"");
	}
	close_block(b, block->level);
}

static void put_figures(struct blocks *b, const struct levels *levels)
{
	const struct block load = { "load", "load {load1}", "{load1}", NULL, levels->of[METRIC_LOAD].level };
	const struct block cpu = { "cpu", "cpu {cpu}%", "{cpu}%", "cpu 100%", levels->of[METRIC_CPU].level };
	const struct block memory = { "memory", "mem {mem}%", "{mem}%", "mem 100%", levels->of[METRIC_MEMORY].level };
	const struct block temperature = { "temperature", "{temp}°C", NULL, NULL, LEVEL_OK };
	const struct block battery = { "battery", "bat {battery}%", "{battery}%", NULL, LEVEL_OK };

	put_block(b, &load);
	put_block(b, &cpu);
	put_block(b, &memory);
	if (b->s->known & KNOWS_TEMPERATURE)
		put_block(b, &temperature);
	if (b->s->battery_count)
		put_block(b, &battery);
}

/* What is wrong, while it is. */
static void put_alerts(struct blocks *b, const struct levels *levels)
{
	static const char *const waits[PRESSURE_KINDS] = {
		[PRESSURE_CPU] = "cpu pressure {pressure_cpu}%",
		[PRESSURE_MEMORY] = "mem pressure {pressure_memory}%",
		[PRESSURE_IO] = "io pressure {pressure_io}%",
	};
	const struct block pressure = { "pressure", waits[levels->waits_for], NULL, NULL, levels->of[METRIC_PRESSURE].level };
	const struct block blocked = { "blocked", "{blocked} blocked", NULL, NULL, LEVEL_WARNING };
	const struct block throttled = { "throttled", "throttled", NULL, NULL, LEVEL_WARNING };

	if (pressure.level != LEVEL_OK)
		put_block(b, &pressure);
	if (b->s->blocked_count)
		put_block(b, &blocked);
	if (b->s->throttled_count)
		put_block(b, &throttled);
}

static void put_value(struct text *out, enum list list, const struct top_entry *entry)
{
	switch (list) {
	case LIST_CPU:
		format_percent(out, entry->cpu_ppm, true);
		text_char(out, '%');
		break;
	case LIST_MEMORY: format_bytes(out, entry->rss_bytes); break;
	default: format_rate(out, entry->read_bytes_per_second + entry->write_bytes_per_second); break;
	}
}

/* The first of the top list that is shown alone: there is no room for more. */
static void put_top(struct blocks *b, enum list list)
{
	const struct sample *s = b->s;
	const struct top_list *const lists[LISTS] = {
		[LIST_CPU] = &s->top_cpu, [LIST_MEMORY] = &s->top_memory, [LIST_IO] = &s->top_io,
	};
	static const char *const labels[LISTS] = { [LIST_CPU] = "cpu: ", [LIST_MEMORY] = "mem: ", [LIST_IO] = "io: " };

	if (list == LIST_ALL)
		return;
	open_block(b, "top");
	put_key(b->out, "full_text");
	text_char(b->out, '"');
	text_string(b->out, labels[list]);
	if (lists[list]->count && (list == LIST_MEMORY || s->known & KNOWS_RATES)) {
		safe_name(b->out, lists[list]->entry[0].name, TASK_NAME_SIZE, SAFE_JSON);
		text_char(b->out, ' ');
		put_value(b->out, list, &lists[list]->entry[0]);
	} else {
		text_string(b->out, "–");
	}
	text_char(b->out, '"');
	close_block(b, LEVEL_OK);
}

static void i3bar_write(struct text *out, const struct sample *s, const struct options *o)
{
	const struct levels levels = levels_judge(s, o);
	const struct block main = { "main", o->text, o->alt, NULL, levels.state };
	struct blocks b = { .out = out, .s = s };

	text_string(out, ",[");
	if (o->text_set)
		put_block(&b, &main);
	else
		put_figures(&b, &levels);
	put_alerts(&b, &levels);
	put_top(&b, o->list);
	text_string(out, "]\n");
}

/* The first element is empty, so that each of the others begins with a comma. */
static void i3bar_begin(struct text *out, const struct options *o)
{
	(void)o;
	text_string(out, "{\"version\":1,\"click_events\":true,\"stop_signal\":");
	text_unsigned(out, LOOP_SIGNAL_PAUSE);
	text_string(out, ",\"cont_signal\":");
	text_unsigned(out, LOOP_SIGNAL_GO_ON);
	text_string(out, "}\n[[]\n");
}

static void i3bar_end(struct text *out, const struct options *o)
{
	(void)o;
	text_string(out, "]\n");
}

static bool obey(struct options *o, uint32_t button)
{
	switch (button) {
	case 1: control_next_interval(o); return true;
	case 2: control_kernel_threads(o); return true;
	case 3: control_next_list(o); return true;
	case 4: control_faster(o); return true;
	case 5: control_slower(o); return true;
	default: return false;
	}
}

static enum face_asks i3bar_input(struct options *o, const char *data, size_t size)
{
	static struct click click;
	bool changed = false;

	for (size_t i = 0; i < size; i++)
		changed |= obey(o, click_read(&click, (unsigned char)data[i], name));
	return changed ? FACE_LINE : FACE_NOTHING;
}

const struct face i3bar_face = {
	.name = "i3bar",
	.summary = "blocks for i3bar and swaybar, which may be clicked",
	.write = i3bar_write,
	.begin = i3bar_begin,
	.end = i3bar_end,
	.input = i3bar_input,
};

_Static_assert((int)BLOCKS_MAX * (int)BLOCK_SIZE_MAX + 2 * (int)I3BAR_TEXT_MAX <= (int)I3BAR_SIZE_MAX, "what i3bar_write() puts together");
