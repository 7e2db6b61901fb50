/* SPDX-License-Identifier: MIT */
#include "emit/json.h"

#include "emit/format.h"
#include "emit/safe.h"

enum { SCHEMA = 1 };

static const uint64_t integer_max = (UINT64_C(1) << 53) - 1;

/*
 * The next key; commas go before all but the first of an object. Keys are ours: they need no
 * escaping.
 */
static void put_key(struct text *out, const char *key)
{
	if (out->used && out->data[out->used - 1] != '{')
		text_char(out, ',');
	text_char(out, '"');
	text_string(out, key);
	text_string(out, "\":");
}

static void open_item(struct text *out, bool first)
{
	if (!first)
		text_char(out, ',');
	text_char(out, '{');
}

static void put_integer(struct text *out, const char *key, uint64_t value)
{
	put_key(out, key);
	text_unsigned(out, value < integer_max ? value : integer_max);
}

/* value / 10^scale without trailing zeros */
static void put_decimal(struct text *out, uint64_t value, unsigned scale)
{
	while (scale && value % 10 == 0) {
		value /= 10;
		scale--;
	}
	text_fixed(out, value, scale, scale);
}

static void put_ratio(struct text *out, const char *key, uint32_t ppm)
{
	put_key(out, key);
	put_decimal(out, ppm < PPM ? ppm : PPM, 6);
}

static void put_string(struct text *out, const char *key, const char *string)
{
	put_key(out, key);
	json_string(out, string);
}

static void put_name(struct text *out, const char *key, const char *name, size_t size)
{
	put_key(out, key);
	text_char(out, '"');
	safe_name(out, name, size, SAFE_JSON);
	text_char(out, '"');
}

static void put_identity(struct text *out, const struct top_entry *entry)
{
	if (entry->ended)
		put_integer(out, "ended", entry->ended);
	else
		put_integer(out, "pid", entry->pid);
	put_name(out, "name", entry->name, sizeof entry->name);
}

static void put_head(struct text *out, const struct sample *s)
{
	put_integer(out, "schema", SCHEMA);
	put_string(out, "rstat", RSTAT_VERSION);
	put_integer(out, "time_unix_ms", s->time_unix_ms);
	if (s->known & KNOWS_RATES)
		put_integer(out, "elapsed_us", s->elapsed_ns / 1000);
	put_integer(out, "sample_ns", s->cost_ns);
	put_string(out, "source", format_source(s->source));
	if (s->reason[0])
		put_name(out, "source_reason", s->reason, sizeof s->reason);
	put_integer(out, "cpus", s->cpus);
	if (s->known & KNOWS_LOAD) {
		put_key(out, "load");
		for (unsigned i = 0; i < 3; i++) {
			text_char(out, i ? ',' : '[');
			put_decimal(out, s->load_milli[i], 3);
		}
		text_char(out, ']');
	}
	if (s->known & KNOWS_RATES)
		put_ratio(out, "cpu_ratio", s->cpu_ppm);
}

static void put_memory(struct text *out, const struct sample *s)
{
	if (!(s->known & KNOWS_MEMORY))
		return;
	put_key(out, "memory");
	text_char(out, '{');
	put_integer(out, "total_bytes", s->memory_total_bytes);
	put_integer(out, "available_bytes", s->memory_available_bytes);
	put_integer(out, "used_bytes", s->memory_used_bytes);
	put_integer(out, "swap_total_bytes", s->swap_total_bytes);
	put_integer(out, "swap_used_bytes", s->swap_used_bytes);
	if (s->known & KNOWS_SWAP_RATES) {
		put_integer(out, "swap_in_bytes_per_second", s->swap_in_bytes_per_second);
		put_integer(out, "swap_out_bytes_per_second", s->swap_out_bytes_per_second);
	}
	text_char(out, '}');
}

static void put_pressure(struct text *out, const struct sample *s)
{
	static const char *const kinds[PRESSURE_KINDS] = {
		[PRESSURE_CPU] = "cpu",
		[PRESSURE_MEMORY] = "memory",
		[PRESSURE_IO] = "io",
	};
	bool any = false;

	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		if (!s->pressure[i].known)
			continue;
		if (!any) {
			put_key(out, "pressure");
			text_char(out, '{');
			any = true;
		}
		put_key(out, kinds[i]);
		text_char(out, '{');
		put_ratio(out, "some_ratio", s->pressure[i].some_ppm);
		if (s->pressure[i].full_known)
			put_ratio(out, "full_ratio", s->pressure[i].full_ppm);
		text_char(out, '}');
	}
	if (any)
		text_char(out, '}');
}

static void put_celsius(struct text *out, const char *key, int64_t milli)
{
	put_key(out, key);
	if (milli < 0)
		text_char(out, '-');
	put_decimal(out, (uint64_t)(milli < 0 ? -milli : milli), 3);
}

/* A sensor that is slow is read less often: how old what it says is. */
static void put_age(struct text *out, const char *key, uint32_t age_ms)
{
	if (!age_ms)
		return;
	put_key(out, key);
	put_decimal(out, age_ms, 3);
}

static void put_throttled(struct text *out, const struct gpu_entry *gpu)
{
	if (!gpu->throttled_count)
		return;
	put_key(out, "throttled");
	for (unsigned i = 0; i < gpu->throttled_count; i++) {
		text_char(out, i ? ',' : '[');
		text_char(out, '"');
		safe_name(out, gpu->throttled[i], REASON_NAME_SIZE, SAFE_JSON);
		text_char(out, '"');
	}
	text_char(out, ']');
}

static void put_gpu(struct text *out, const struct gpu_entry *gpu)
{
	static const char *const states[] = {
		[GPU_AWAKE] = "awake", [GPU_ASLEEP] = "asleep", [GPU_UNKNOWN] = "unknown",
	};

	put_name(out, "name", gpu->name, sizeof gpu->name);
	if (gpu->driver[0])
		put_name(out, "driver", gpu->driver, sizeof gpu->driver);
	put_string(out, "state", states[gpu->state]);
	if (gpu->known & GPU_KNOWS_BUSY)
		put_ratio(out, "busy_ratio", gpu->busy_ppm);
	if (gpu->known & GPU_KNOWS_FREQUENCY)
		put_integer(out, "frequency_hz", gpu->frequency_hz);
	if (gpu->known & GPU_KNOWS_FREQUENCY_MAX)
		put_integer(out, "frequency_max_hz", gpu->frequency_max_hz);
	if (gpu->known & GPU_KNOWS_TEMPERATURE)
		put_celsius(out, "temperature_celsius", gpu->temperature_millicelsius);
	if (gpu->known & GPU_KNOWS_MEMORY) {
		put_integer(out, "memory_used_bytes", gpu->memory_used_bytes);
		put_integer(out, "memory_total_bytes", gpu->memory_total_bytes);
	}
	if (gpu->known & GPU_KNOWS_POWER) {
		put_key(out, "power_watts");
		put_decimal(out, gpu->power_microwatts, 6);
	}
	put_throttled(out, gpu);
	put_age(out, "age_seconds", gpu->age_ms);
}

static void put_gpus(struct text *out, const struct sample *s)
{
	if (!s->gpu_count)
		return;
	put_key(out, "gpus");
	text_char(out, '[');
	for (unsigned i = 0; i < s->gpu_count; i++) {
		open_item(out, !i);
		put_gpu(out, &s->gpu[i]);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_batteries(struct text *out, const struct sample *s)
{
	if (!s->battery_count)
		return;
	put_key(out, "batteries");
	text_char(out, '[');
	for (unsigned i = 0; i < s->battery_count; i++) {
		const struct battery_entry *battery = &s->battery[i];

		open_item(out, !i);
		put_name(out, "name", battery->name, sizeof battery->name);
		if (battery->known & BATTERY_KNOWS_RATIO)
			put_ratio(out, "ratio", battery->charge_ppm);
		if (battery->status[0])
			put_name(out, "status", battery->status, sizeof battery->status);
		if (battery->known & BATTERY_KNOWS_POWER) {
			put_key(out, "power_watts");
			put_decimal(out, battery->power_microwatts, 6);
		}
		put_age(out, "age_seconds", battery->age_ms);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_sensors(struct text *out, const struct sample *s)
{
	if (s->known & KNOWS_TEMPERATURE) {
		put_celsius(out, "temperature_celsius", s->temperature_millicelsius);
		put_age(out, "temperature_age_seconds", s->temperature_age_ms);
	}
	if (s->known & KNOWS_FREQUENCY) {
		put_integer(out, "frequency_fastest_hz", s->frequency_fastest_hz);
		put_integer(out, "frequency_mean_hz", s->frequency_mean_hz);
		put_age(out, "frequency_age_seconds", s->frequency_age_ms);
	}
	if (s->known & KNOWS_FREQUENCY_MAX)
		put_integer(out, "frequency_max_hz", s->frequency_max_hz);
	if (s->known & KNOWS_PROFILE)
		put_name(out, "power_profile", s->power_profile, sizeof s->power_profile);
	if (!s->throttled_count)
		return;
	put_key(out, "throttled");
	for (unsigned i = 0; i < s->throttled_count; i++) {
		text_char(out, i ? ',' : '[');
		json_string(out, s->throttled[i]);
	}
	text_char(out, ']');
}

static void put_io_rates(struct text *out, uint64_t read, uint64_t write)
{
	put_integer(out, "read_bytes_per_second", read);
	put_integer(out, "write_bytes_per_second", write);
}

static void put_top_cpu(struct text *out, const struct top_list *top)
{
	put_key(out, "top_cpu");
	text_char(out, '[');
	for (unsigned i = 0; i < top->count; i++) {
		const struct top_entry *entry = &top->entry[i];

		open_item(out, !i);
		put_identity(out, entry);
		put_ratio(out, "cpu_ratio", entry->cpu_ppm);
		if (!entry->ended)
			put_integer(out, "threads", entry->threads);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_top_memory(struct text *out, const struct top_list *top)
{
	put_key(out, "top_memory");
	text_char(out, '[');
	for (unsigned i = 0; i < top->count; i++) {
		open_item(out, !i);
		put_identity(out, &top->entry[i]);
		put_integer(out, "rss_bytes", top->entry[i].rss_bytes);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_top_io(struct text *out, const struct top_list *top)
{
	put_key(out, "top_io");
	text_char(out, '[');
	for (unsigned i = 0; i < top->count; i++) {
		const struct top_entry *entry = &top->entry[i];

		open_item(out, !i);
		put_identity(out, entry);
		put_io_rates(out, entry->read_bytes_per_second, entry->write_bytes_per_second);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_blocked(struct text *out, const struct sample *s)
{
	put_key(out, "blocked");
	text_char(out, '[');
	for (unsigned i = 0; i < s->blocked_listed; i++) {
		const struct blocked_entry *entry = &s->blocked[i];
		const char state[] = { entry->state, '\0' };

		open_item(out, !i);
		put_integer(out, "pid", entry->pid);
		put_name(out, "name", entry->name, sizeof entry->name);
		put_string(out, "state", state);
		text_char(out, '}');
	}
	text_char(out, ']');
}

static void put_tasks(struct text *out, const struct sample *s)
{
	put_key(out, "tasks");
	text_char(out, '{');
	put_integer(out, "total", s->tasks_total);
	put_integer(out, "running", s->tasks_running);
	put_integer(out, "slots", s->slots);
	put_integer(out, "slots_used", s->slots_used);
	put_integer(out, "without_slot", s->without_slot);
	put_integer(out, "dropped", s->dropped);
	put_integer(out, "lost", s->lost);
	if (s->known & KNOWS_RATES)
		put_ratio(out, "other_cpu_ratio", s->other_cpu_ppm);
	text_char(out, '}');
}

void json_write(struct text *out, const struct sample *s)
{
	text_char(out, '{');
	put_head(out, s);
	put_memory(out, s);
	put_pressure(out, s);
	put_sensors(out, s);
	put_gpus(out, s);
	put_batteries(out, s);
	if (s->known & KNOWS_RATES) {
		put_key(out, "io");
		text_char(out, '{');
		put_io_rates(out, s->read_bytes_per_second, s->write_bytes_per_second);
		text_char(out, '}');
		put_top_cpu(out, &s->top_cpu);
	}
	put_top_memory(out, &s->top_memory);
	if (s->known & KNOWS_RATES)
		put_top_io(out, &s->top_io);
	put_blocked(out, s);
	put_tasks(out, s);
	text_string(out, "}\n");
}
