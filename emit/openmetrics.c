/* SPDX-License-Identifier: MIT */
#include "emit/openmetrics.h"

#include "emit/format.h"
#include "emit/safe.h"
#include "loader/memory.h"

/*
 * A name as a label's value: safe_name() in a buffer. Two names may become the same one; series that are there twice
 * would make a collector refuse all of it.
 */
enum { LABEL_SIZE = SAFE_GROWTH * DEVICE_NAME_SIZE, NS_PER_US = 1000 };

struct label {
	char text[LABEL_SIZE];
	size_t length;
};

struct metrics {
	struct text *out;
	const struct sample *s;
	bool file;	/* the text format of Prometheus */
};

/* ---- lines */

static void put(struct metrics *m, const char *string)
{
	text_string(m->out, string);
}

/* # HELP and # TYPE of a family: the lines that follow are its samples. */
static void put_family(struct metrics *m, const char *name, const char *type, const char *help)
{
	bool counter = type[0] == 'c';

	for (unsigned i = 0; i < 2; i++) {
		put(m, i ? "# TYPE rstat_" : "# HELP rstat_");
		put(m, name);
		put(m, counter && m->file ? "_total " : " ");
		put(m, i ? type : help);
		put(m, "\n");
	}
}

static void put_value(struct metrics *m, uint64_t value, unsigned scale)
{
	while (scale && value % 10 == 0) {
		value /= 10;
		scale--;
	}
	text_fixed(m->out, value, scale, scale);
	put(m, "\n");
}

/* The label's name is NULL where there is none. */
static void put_series(struct metrics *m, const char *name, const char *key, const struct label *label)
{
	put(m, "rstat_");
	put(m, name);
	if (!key)
		return;
	put(m, "{");
	put(m, key);
	put(m, "=\"");
	text_bytes(m->out, label->text, label->length);
	put(m, "\"}");
}

/* value / 10^scale */
static void put_sample(struct metrics *m, const char *name, const char *key, const struct label *label, uint64_t value,
		       unsigned scale)
{
	put_series(m, name, key, label);
	put(m, " ");
	put_value(m, value, scale);
}

static struct label label_of(const char *name, size_t size)
{
	struct label label;
	struct text text = text_over(label.text, sizeof label.text);

	safe_name(&text, name, size < DEVICE_NAME_SIZE ? size : DEVICE_NAME_SIZE, SAFE_LABEL);
	label.length = text.used;
	return label;
}

static struct label label_of_word(const char *word)
{
	size_t length = 0;

	while (word[length])
		length++;
	return label_of(word, length);
}

static bool labels_equal(const struct label *a, const struct label *b)
{
	return a->length == b->length && !memcmp(a->text, b->text, a->length);
}

/* Whether none of those before it is the same. */
static bool is_first(const struct label *labels, unsigned i)
{
	for (unsigned j = 0; j < i; j++)
		if (labels_equal(&labels[j], &labels[i]))
			return false;
	return true;
}

static void put_gauge(struct metrics *m, const char *name, const char *help, uint64_t value, unsigned scale)
{
	put_family(m, name, "gauge", help);
	put_sample(m, name, NULL, NULL, value, scale);
}

/* ---- the machine */

static void put_head(struct metrics *m)
{
	const struct sample *s = m->s;

	put_family(m, "build_info", "gauge", "The program, and where the tasks come from.");
	put(m, "rstat_build_info{version=\"" RSTAT_VERSION "\",source=\"");
	put(m, format_source(s->source));
	put(m, "\"} 1\n");
	put_gauge(m, "sample_time_seconds", "When the sample was taken, since 1970.", s->time_unix_ms, 3);
	put_gauge(m, "sample_cost_seconds", "What it took.", s->cost_ns, 9);
	put_gauge(m, "interval_seconds", "Between samples, as asked for.", s->interval_ms, 3);
	put_gauge(m, "cpus", "CPUs online.", s->cpus, 0);
	if (s->known & KNOWS_LOAD) {
		put_gauge(m, "load1", "Load average, 1 minute.", s->load_milli[0], 3);
		put_gauge(m, "load5", "5 minutes.", s->load_milli[1], 3);
		put_gauge(m, "load15", "15 minutes.", s->load_milli[2], 3);
	}
	if (!(s->known & KNOWS_RATES))
		return;
	put_gauge(m, "cpu_ratio", "Of all CPUs, over the interval.", s->cpu_ppm, 6);
	put_gauge(m, "cpu_other_ratio", "Of that, used by tasks without a slot.", s->other_cpu_ppm, 6);
	put_gauge(m, "io_read_bytes_per_second", "Read from devices.", s->read_bytes_per_second, 0);
	put_gauge(m, "io_write_bytes_per_second", "Written to them.", s->write_bytes_per_second, 0);
}

static void put_memory(struct metrics *m)
{
	const struct sample *s = m->s;

	if (!(s->known & KNOWS_MEMORY))
		return;
	put_gauge(m, "memory_total_bytes", "Memory.", s->memory_total_bytes, 0);
	put_gauge(m, "memory_available_bytes", "Memory to be had.", s->memory_available_bytes, 0);
	put_gauge(m, "memory_used_bytes", "Memory used.", s->memory_used_bytes, 0);
	put_gauge(m, "swap_total_bytes", "Swap.", s->swap_total_bytes, 0);
	put_gauge(m, "swap_used_bytes", "Swap used.", s->swap_used_bytes, 0);
	if (!(s->known & KNOWS_SWAP_RATES))
		return;
	put_gauge(m, "swap_in_bytes_per_second", "Swapped in.", s->swap_in_bytes_per_second, 0);
	put_gauge(m, "swap_out_bytes_per_second", "Swapped out.", s->swap_out_bytes_per_second, 0);
}

static void put_pressure(struct metrics *m, bool full, const char *name, const char *help)
{
	static const char *const kinds[PRESSURE_KINDS] = { "cpu", "memory", "io" };
	bool any = false;

	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		const struct pressure *pressure = &m->s->pressure[i];
		struct label label = label_of_word(kinds[i]);

		if (!pressure->known || (full && !pressure->full_known))
			continue;
		if (!any)
			put_family(m, name, "gauge", help);
		any = true;
		put_sample(m, name, "resource", &label, full ? pressure->full_ppm : pressure->some_ppm, 6);
	}
}

static void put_celsius(struct metrics *m, int32_t milli)
{
	int64_t value = milli;

	put(m, value < 0 ? " -" : " ");
	put_value(m, (uint64_t)(value < 0 ? -value : value), 3);
}

static void put_sensors(struct metrics *m)
{
	const struct sample *s = m->s;

	if (s->known & KNOWS_TEMPERATURE) {
		put_family(m, "temperature_celsius", "gauge", "Of the CPU.");
		put(m, "rstat_temperature_celsius");
		put_celsius(m, s->temperature_millicelsius);
	}
	if (s->known & KNOWS_FREQUENCY) {
		put_gauge(m, "frequency_fastest_hertz", "Of the fastest CPU.", s->frequency_fastest_hz, 0);
		put_gauge(m, "frequency_mean_hertz", "Mean over the CPUs.", s->frequency_mean_hz, 0);
	}
	if (s->known & KNOWS_FREQUENCY_MAX)
		put_gauge(m, "frequency_max_hertz", "What they can reach.", s->frequency_max_hz, 0);
	put_gauge(m, "throttled", "Reasons for which the CPUs throttle now.", s->throttled_count, 0);
}

static void put_tasks(struct metrics *m)
{
	const struct sample *s = m->s;

	put_gauge(m, "tasks", "Tasks, threads included.", s->tasks_total, 0);
	put_gauge(m, "tasks_running", "Those that run or want to.", s->tasks_running, 0);
	put_gauge(m, "tasks_blocked", "In state D, or zombies.", s->blocked_count, 0);
	put_gauge(m, "slots", "Tasks there is room for in the kernel.", s->slots, 0);
	put_gauge(m, "slots_used", "Of living tasks.", s->slots_used, 0);
	put_gauge(m, "tasks_without_slot", "Living tasks that none was free for.", s->without_slot, 0);
	put_gauge(m, "tasks_lost", "Ends that were not seen, since the start.", s->lost, 0);
	put_family(m, "tasks_dropped", "counter", "Tasks that got no slot when they should have, since the start.");
	put_sample(m, "tasks_dropped_total", NULL, NULL, s->dropped, 0);
}

/* ---- devices: a family for each thing known of one of them at least */

struct gpu_family {
	const char *name, *help;
	uint32_t needs;		/* GPU_KNOWS_*; 0: all have it */
	uint16_t at, scale;	/* uint64_t in struct gpu_entry; scale 6 of a uint32_t in ppm */
};

static uint64_t gpu_value(const struct gpu_entry *gpu, const struct gpu_family *family)
{
	const void *field = (const char *)gpu + family->at;

	if (!family->needs)
		return gpu->state != GPU_ASLEEP;
	if (family->needs == GPU_KNOWS_BUSY)
		return *(const uint32_t *)field;
	return *(const uint64_t *)field;
}

static void put_gpus(struct metrics *m)
{
#define AT(field) __builtin_offsetof(struct gpu_entry, field)
	static const struct gpu_family families[] = {
		{ "gpu_awake", "0: asleep, and nothing more is read.", 0, 0, 0 },
		{ "gpu_busy_ratio", "Share of the time in which it works.", GPU_KNOWS_BUSY, AT(busy_ppm), 6 },
		{ "gpu_frequency_hertz", "Its clock.", GPU_KNOWS_FREQUENCY, AT(frequency_hz), 0 },
		{ "gpu_temperature_celsius", "Its temperature.", GPU_KNOWS_TEMPERATURE, AT(temperature_millicelsius), 3 },
		{ "gpu_memory_used_bytes", "Of its own memory.", GPU_KNOWS_MEMORY, AT(memory_used_bytes), 0 },
		{ "gpu_memory_total_bytes", "Its own memory.", GPU_KNOWS_MEMORY, AT(memory_total_bytes), 0 },
		{ "gpu_power_watts", "What it draws.", GPU_KNOWS_POWER, AT(power_microwatts), 6 },
	};
#undef AT

	struct label labels[GPUS_MAX];

	for (unsigned i = 0; i < m->s->gpu_count; i++)
		labels[i] = label_of(m->s->gpu[i].name, sizeof m->s->gpu[i].name);
	for (unsigned f = 0; f < sizeof families / sizeof families[0]; f++) {
		const struct gpu_family *family = &families[f];
		bool any = false;

		for (unsigned i = 0; i < m->s->gpu_count; i++) {
			const struct gpu_entry *gpu = &m->s->gpu[i];

			if ((gpu->known & family->needs) != family->needs || !is_first(labels, i))
				continue;
			if (!any)
				put_family(m, family->name, "gauge", family->help);
			any = true;
			put_series(m, family->name, "gpu", &labels[i]);
			if (family->needs == GPU_KNOWS_TEMPERATURE) {
				put_celsius(m, gpu->temperature_millicelsius);
			} else {
				put(m, " ");
				put_value(m, gpu_value(gpu, family), family->scale);
			}
		}
	}
}

static void put_batteries(struct metrics *m)
{
	static const char *const names[] = { "battery_ratio", "battery_power_watts" };
	static const char *const help[] = { "How full it is.", "In either direction." };

	struct label labels[BATTERIES_MAX];

	for (unsigned i = 0; i < m->s->battery_count; i++)
		labels[i] = label_of(m->s->battery[i].name, sizeof m->s->battery[i].name);
	for (unsigned f = 0; f < 2; f++) {
		uint32_t needs = f ? BATTERY_KNOWS_POWER : BATTERY_KNOWS_RATIO;
		bool any = false;

		for (unsigned i = 0; i < m->s->battery_count; i++) {
			const struct battery_entry *battery = &m->s->battery[i];

			if (!(battery->known & needs) || !is_first(labels, i))
				continue;
			if (!any)
				put_family(m, names[f], "gauge", help[f]);
			any = true;
			put_sample(m, names[f], "battery", &labels[i], f ? battery->power_microwatts : battery->charge_ppm, 6);
		}
	}
}

/* ---- processes by name */

enum amount { AMOUNT_CPU, AMOUNT_MEMORY, AMOUNT_READ, AMOUNT_WRITE };

static uint64_t amount_of(const struct top_entry *entry, enum amount amount)
{
	switch (amount) {
	case AMOUNT_CPU: return entry->cpu_ppm;
	case AMOUNT_MEMORY: return entry->rss_bytes;
	case AMOUNT_READ: return entry->read_bytes_per_second;
	default: return entry->write_bytes_per_second;
	}
}

/* Each name once, at its first row, with the sum of all rows of that name. */
static void put_names(struct metrics *m, const struct top_list *top, enum amount amount, const char *name,
		      const char *help)
{
	struct label labels[TOP_MAX];

	for (unsigned i = 0; i < top->count; i++)
		labels[i] = label_of(top->entry[i].name, TASK_NAME_SIZE);
	for (unsigned i = 0; i < top->count; i++) {
		uint64_t sum = 0;
		bool first = true;

		for (unsigned j = 0; j < top->count; j++) {
			if (!labels_equal(&labels[i], &labels[j]))
				continue;
			first &= j >= i;
			if (__builtin_add_overflow(sum, amount_of(&top->entry[j], amount), &sum))
				sum = UINT64_MAX;
		}
		if (!i)
			put_family(m, name, "gauge", help);
		if (first)
			put_sample(m, name, "name", &labels[i], sum, amount == AMOUNT_CPU ? 6 : 0);
	}
}

static void put_processes(struct metrics *m)
{
	const struct sample *s = m->s;

	if (s->known & KNOWS_RATES)
		put_names(m, &s->top_cpu, AMOUNT_CPU, "process_cpu_ratio", "Of all CPUs, by name: the top of the list.");
	put_names(m, &s->top_memory, AMOUNT_MEMORY, "process_memory_bytes", "RSS by name.");
	if (!(s->known & KNOWS_RATES))
		return;
	put_names(m, &s->top_io, AMOUNT_READ, "process_io_read_bytes_per_second", "Read from devices, by name.");
	put_names(m, &s->top_io, AMOUNT_WRITE, "process_io_write_bytes_per_second", "Written to them, by name.");
}

static void openmetrics_write(struct text *out, const struct sample *s, const struct options *o)
{
	struct metrics m = { .out = out, .s = s, .file = o->file_path != NULL };

	put_head(&m);
	put_memory(&m);
	put_pressure(&m, false, "pressure_some_ratio", "Of the last 10 s, in which some tasks waited.");
	put_pressure(&m, true, "pressure_full_ratio", "In which all did.");
	put_sensors(&m);
	put_gpus(&m);
	put_batteries(&m);
	put_tasks(&m);
	if (o->names)
		put_processes(&m);
	if (!m.file)
		put(&m, "# EOF\n");
}

const struct face openmetrics_face = {
	.name = "openmetrics",
	.summary = "for Prometheus: to stdout, or with --file to a file",
	.write = openmetrics_write,
};
