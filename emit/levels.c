/* SPDX-License-Identifier: MIT */
#include "emit/levels.h"

#include "emit/format.h"

enum { FULL_MILLI = 100000 };

const char *const level_names[LEVELS] = { "ok", "warning", "critical" };

/* A metric at this moment, in thousandths (of load, or of a percent) like its limits. */
struct reading {
	bool known;
	uint32_t milli, warning_milli, critical_milli;
	uint32_t percent_milli;		/* at most 100,000, which is full */
};

static uint32_t milli_percent(uint32_t ppm)
{
	return ppm / 10;
}

static struct reading read_load(const struct sample *s)
{
	uint32_t cpus = s->cpus ? s->cpus : 1;
	uint64_t percent_milli = (uint64_t)s->load_milli[0] * 100 / cpus;

	return (struct reading){
		.known = s->known & KNOWS_LOAD,
		.milli = s->load_milli[0],
		.warning_milli = cpus * 1000,
		.critical_milli = cpus * 2000,
		.percent_milli = percent_milli < FULL_MILLI ? (uint32_t)percent_milli : FULL_MILLI,
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
static enum pressure_kind worst_pressure(const struct sample *s)
{
	enum pressure_kind worst = PRESSURE_CPU;

	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		if (s->pressure[i].known &&
		    (!s->pressure[worst].known || s->pressure[i].some_ppm > s->pressure[worst].some_ppm))
			worst = i;
	}
	return worst;
}

static struct reading read_metric(const struct sample *s, enum metric metric)
{
	const struct pressure *waits = &s->pressure[worst_pressure(s)];

	switch (metric) {
	case METRIC_CPU: return read_share(s->known & KNOWS_RATES, s->cpu_ppm, 70, 90);
	case METRIC_MEMORY:
		return read_share(s->known & KNOWS_MEMORY,
				  format_share(s->memory_used_bytes, s->memory_total_bytes), 80,
				  95);
	case METRIC_PRESSURE: return read_share(waits->known, waits->some_ppm, 20, 50);
	default: return read_load(s);
	}
}

/*
 * The user's limits are for the metric of --class-on. --critical alone also lowers a default
 * warning above it; --warning alone, above the default critical limit, goes straight to critical.
 */
static enum level judge(const struct reading *r, const struct options *o, enum metric metric)
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
		return LEVEL_OK;
	return r->milli < critical ? LEVEL_WARNING : LEVEL_CRITICAL;
}

struct levels levels_judge(const struct sample *s, const struct options *o)
{
	struct levels levels = { .waits_for = worst_pressure(s) };

	for (unsigned i = 0; i < METRICS; i++) {
		struct reading r = read_metric(s, i);

		if (!r.known)
			continue;
		levels.of[i] = (struct level_of){ true, judge(&r, o, i), r.percent_milli };
	}
	levels.state = levels.of[o->class_on].level;
	return levels;
}
