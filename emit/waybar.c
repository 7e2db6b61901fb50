/* SPDX-License-Identifier: MIT */
#include "emit/waybar.h"

#include "emit/format.h"
#include "emit/panel.h"
#include "emit/safe.h"
#include "emit/template.h"

enum state { STATE_OK, STATE_WARNING, STATE_CRITICAL };

static const char *const state_names[] = { "ok", "warning", "critical" };

/* A metric at this moment, in thousandths (of load, or of a percent) like its limits. */
struct reading {
	bool known;
	uint32_t milli, warning_milli, critical_milli;
	uint32_t percent_milli;		/* 100,000 is full */
};

static uint32_t milli_percent(uint32_t ppm)
{
	return ppm / 10;
}

static struct reading read_load(const struct sample *s)
{
	uint32_t cpus = s->cpus ? s->cpus : 1;

	return (struct reading){
		.known = s->known & KNOWS_LOAD,
		.milli = s->load_milli[0],
		.warning_milli = cpus * 1000,
		.critical_milli = cpus * 2000,
		.percent_milli = (uint32_t)((uint64_t)s->load_milli[0] * 100 / cpus),
	};
}

static struct reading read_share(bool known, uint32_t ppm, uint32_t warning, uint32_t critical)
{
	return (struct reading){
		.known = known,
		.milli = milli_percent(ppm),
		.warning_milli = warning * 1000,
		.critical_milli = critical * 1000,
		.percent_milli = milli_percent(ppm),
	};
}

/* The worst of the three: what hurts is that something waits, not for what. */
static struct reading read_pressure(const struct sample *s)
{
	uint32_t worst_ppm = 0;
	bool known = false;

	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		if (!s->pressure[i].known)
			continue;
		known = true;
		if (s->pressure[i].some_ppm > worst_ppm)
			worst_ppm = s->pressure[i].some_ppm;
	}
	return read_share(known, worst_ppm, 20, 50);
}

static struct reading read_metric(const struct sample *s, enum metric metric)
{
	switch (metric) {
	case METRIC_CPU: return read_share(s->known & KNOWS_RATES, s->cpu_ppm, 70, 90);
	case METRIC_MEMORY:
		return read_share(s->known & KNOWS_MEMORY,
				  format_share(s->memory_used_bytes, s->memory_total_bytes), 80,
				  95);
	case METRIC_PRESSURE: return read_pressure(s);
	default: return read_load(s);
	}
}

/*
 * The user's limits are for the metric of --class-on. --critical alone also lowers a default
 * warning above it; --warning alone, above the default critical limit, goes straight to critical.
 */
static enum state judge(const struct reading *r, const struct options *o, enum metric metric)
{
	uint32_t warning = r->warning_milli, critical = r->critical_milli;

	if (metric == o->class_on && o->warning_set)
		warning = o->warning_milli;
	if (metric == o->class_on && o->critical_set) {
		critical = o->critical_milli;
		if (warning > critical)
			warning = critical;
	}
	if (!r->known || r->milli < warning)
		return STATE_OK;
	return r->milli < critical ? STATE_WARNING : STATE_CRITICAL;
}

static void put_class(struct text *out, const struct sample *s, const struct options *o,
		      const enum state states[METRICS])
{
	text_string(out, ",\"class\":[");
	json_string(out, state_names[states[o->class_on]]);
	for (unsigned i = 0; i < METRICS; i++) {
		if (states[i] == STATE_OK)
			continue;
		text_string(out, ",\"");
		text_string(out, metric_names[i]);
		text_char(out, '-');
		text_string(out, state_names[states[i]]);
		text_char(out, '"');
	}
	if (s->blocked_count)
		text_string(out, ",\"blocked\"");
	if (s->throttled_count)
		text_string(out, ",\"throttled\"");
	if (s->without_slot)
		text_string(out, ",\"dropped\"");
	text_char(out, ']');
}

static void put_percentage(struct text *out, const struct reading *r)
{
	uint32_t percent = (r->percent_milli + 500) / 1000;

	if (!r->known)
		return;
	text_string(out, ",\"percentage\":");
	text_unsigned(out, percent < 100 ? percent : 100);
}

static void waybar_write(struct text *out, const struct sample *s, const struct options *o)
{
	enum safe_for use = o->markup ? SAFE_PANGO_JSON : SAFE_JSON;
	struct reading readings[METRICS];
	enum state states[METRICS];

	for (unsigned i = 0; i < METRICS; i++) {
		readings[i] = read_metric(s, i);
		states[i] = judge(&readings[i], o, i);
	}
	text_string(out, "{\"text\":\"");
	template_write(out, o->text, s, use);
	text_string(out, "\",\"alt\":\"");
	if (o->alt)
		template_write(out, o->alt, s, use);
	else
		text_string(out, state_names[states[o->class_on]]);
	text_string(out, "\",\"tooltip\":\"");
	panel_write(out, s, o->markup ? PANEL_MARKUP_JSON : PANEL_JSON);
	text_char(out, '"');
	put_class(out, s, o, states);
	put_percentage(out, &readings[o->class_on_set ? o->class_on : METRIC_CPU]);
	text_string(out, "}\n");
}

const struct face waybar_face = {
	.name = "waybar",
	.summary = "a Waybar custom module, return-type json",
	.write = waybar_write,
};

_Static_assert(2 * (int)TEMPLATE_SIZE_MAX + (int)PANEL_SIZE_MAX + 512 <= (int)WAYBAR_SIZE_MAX,
	       "what waybar_write() puts together");
