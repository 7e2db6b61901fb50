/* SPDX-License-Identifier: MIT */
/*
 * A sample and options out of the input: any that the collectors and the command line can bring about, as far as their
 * headers say. Counts and numbers come first and lists last, so that a short input is a whole sample.
 */
#ifndef RSTAT_FUZZ_SAMPLE_H
#define RSTAT_FUZZ_SAMPLE_H

#include "emit/face.h"
#include "emit/options.h"
#include "emit/template.h"
#include "test/fuzz/fuzz.h"

enum { PIDS_MAX = 1 << 22 };	/* PID_MAX_LIMIT */

/* What thermal_plausible() takes. */
static inline int32_t feed_temperature(struct feed *feed)
{
	return (int32_t)feed_upto(feed, 170000) - 20000;
}

static inline void feed_top(struct feed *feed, struct top_list *top, uint32_t count, enum list list)
{
	top->count = count;
	for (uint32_t i = 0; i < count; i++) {
		struct top_entry *entry = &top->entry[i];

		feed_bytes(feed, entry->name, sizeof entry->name);
		entry->ended = list == LIST_MEMORY ? 0 : (uint32_t)feed_upto(feed, UINT32_MAX);
		if (!entry->ended) {
			entry->pid = 1 + (uint32_t)feed_upto(feed, PIDS_MAX - 1);
			entry->threads = (uint32_t)feed_upto(feed, PIDS_MAX);
		}
		entry->cpu_ppm = (uint32_t)feed_upto(feed, PPM);
		entry->rss_bytes = feed_number(feed);
		entry->read_bytes_per_second = feed_number(feed);
		entry->write_bytes_per_second = feed_number(feed);
	}
}

static inline void feed_series(struct feed *feed, struct series *series)
{
	series->count = (uint8_t)feed_upto(feed, HISTORY_MAX);
	feed_bytes(feed, series->level, series->count);
}

static inline void feed_gpu(struct feed *feed, struct gpu_entry *gpu)
{
	feed_string(feed, gpu->name, sizeof gpu->name);
	feed_string(feed, gpu->driver, sizeof gpu->driver);
	gpu->state = (enum gpu_state)feed_upto(feed, GPU_UNKNOWN);
	gpu->known = gpu->state == GPU_ASLEEP ? 0 : (uint32_t)feed_upto(feed, 63);
	gpu->age_ms = (uint32_t)feed_upto(feed, UINT32_MAX);
	gpu->busy_ppm = (uint32_t)feed_upto(feed, PPM);
	gpu->temperature_millicelsius = feed_temperature(feed);
	gpu->frequency_hz = feed_number(feed);
	gpu->frequency_max_hz = feed_number(feed);
	gpu->memory_total_bytes = feed_number(feed);
	gpu->memory_used_bytes = feed_upto(feed, gpu->memory_total_bytes);
	gpu->power_microwatts = feed_number(feed);
	gpu->throttled_count = (uint32_t)feed_upto(feed, REASONS_MAX);
	for (uint32_t i = 0; i < gpu->throttled_count; i++)
		feed_string(feed, gpu->throttled[i], REASON_NAME_SIZE);
}

static inline void feed_battery(struct feed *feed, struct battery_entry *battery)
{
	feed_string(feed, battery->name, sizeof battery->name);
	feed_string(feed, battery->status, sizeof battery->status);
	battery->known = (uint32_t)feed_upto(feed, 3);
	battery->age_ms = (uint32_t)feed_upto(feed, UINT32_MAX);
	battery->charge_ppm = (uint32_t)feed_upto(feed, PPM);
	battery->power_microwatts = feed_number(feed);
}

static inline void feed_numbers(struct feed *feed, struct sample *s)
{
	s->time_unix_ms = feed_number(feed);
	s->elapsed_ns = feed_number(feed);
	s->interval_ms = 10 + feed_upto(feed, 59990);
	s->cost_ns = feed_number(feed);
	s->cpus = 1 + (uint32_t)feed_upto(feed, 65535);
	for (unsigned i = 0; i < 3; i++)
		s->load_milli[i] = (uint32_t)feed_upto(feed, UINT32_MAX);
	s->cpu_ppm = (uint32_t)feed_upto(feed, PPM);
	s->other_cpu_ppm = (uint32_t)feed_upto(feed, s->cpu_ppm);
	s->memory_total_bytes = feed_number(feed);
	s->memory_available_bytes = feed_upto(feed, s->memory_total_bytes);
	s->memory_used_bytes = s->memory_total_bytes - s->memory_available_bytes;
	s->swap_total_bytes = feed_number(feed);
	s->swap_used_bytes = feed_upto(feed, s->swap_total_bytes);
	s->swap_in_bytes_per_second = feed_number(feed);
	s->swap_out_bytes_per_second = feed_number(feed);
	for (unsigned i = 0; i < PRESSURE_KINDS; i++) {
		struct pressure *pressure = &s->pressure[i];

		pressure->known = feed_bool(feed);
		pressure->full_known = feed_bool(feed);
		pressure->some_ppm = (uint32_t)feed_upto(feed, PPM);
		pressure->full_ppm = (uint32_t)feed_upto(feed, PPM);
	}
	s->temperature_millicelsius = feed_temperature(feed);
	s->frequency_fastest_hz = feed_number(feed);
	s->frequency_mean_hz = feed_number(feed);
	s->frequency_max_hz = feed_number(feed);
	s->temperature_age_ms = (uint32_t)feed_upto(feed, UINT32_MAX);
	s->frequency_age_ms = (uint32_t)feed_upto(feed, UINT32_MAX);
	s->read_bytes_per_second = feed_number(feed);
	s->write_bytes_per_second = feed_number(feed);
	s->tasks_total = (uint32_t)feed_upto(feed, UINT32_MAX);
	s->tasks_running = (uint32_t)feed_upto(feed, UINT32_MAX);
	s->slots = (uint32_t)feed_upto(feed, UINT32_MAX);
	s->slots_used = feed_number(feed);
	s->without_slot = feed_number(feed);
	s->dropped = feed_number(feed);
	s->lost = feed_number(feed);
}

static inline void feed_sample(struct feed *feed, struct sample *s)
{
	static const char *const throttled[] = { "cpu thermal", "package power limit", "<&\"'>" };
	uint32_t cpu, memory, io;

	/* what is not known is undefined: it must not be looked at */
	memset(s, 0, sizeof *s);
	s->known = (uint32_t)feed_upto(feed, 255);
	s->source = (enum source)feed_upto(feed, SOURCE_PROC);
	s->throttled_count = (uint32_t)feed_upto(feed, THROTTLED_MAX);
	s->gpu_count = (uint32_t)feed_upto(feed, GPUS_MAX);
	s->battery_count = (uint32_t)feed_upto(feed, BATTERIES_MAX);
	s->blocked_listed = (uint32_t)feed_upto(feed, BLOCKED_MAX);
	s->blocked_count = s->blocked_listed + (s->blocked_listed == BLOCKED_MAX ? (uint32_t)feed_upto(feed, 1 << 22) : 0);
	cpu = (uint32_t)feed_upto(feed, TOP_MAX);
	memory = (uint32_t)feed_upto(feed, TOP_MAX);
	io = (uint32_t)feed_upto(feed, TOP_MAX);
	feed_numbers(feed, s);
	feed_top(feed, &s->top_memory, memory, LIST_MEMORY);
	if (s->known & KNOWS_RATES) {
		feed_top(feed, &s->top_cpu, cpu, LIST_CPU);
		feed_top(feed, &s->top_io, io, LIST_IO);
	}
	for (uint32_t i = 0; i < s->throttled_count; i++)
		s->throttled[i] = throttled[feed_byte(feed) % COUNT_OF(throttled)];
	for (uint32_t i = 0; i < s->gpu_count; i++)
		feed_gpu(feed, &s->gpu[i]);
	for (uint32_t i = 0; i < s->battery_count; i++)
		feed_battery(feed, &s->battery[i]);
	for (uint32_t i = 0; i < s->blocked_listed; i++) {
		s->blocked[i].pid = 1 + (uint32_t)feed_upto(feed, PIDS_MAX - 1);
		s->blocked[i].state = feed_bool(feed) ? 'Z' : 'D';
		feed_bytes(feed, s->blocked[i].name, sizeof s->blocked[i].name);
	}
	feed_string(feed, s->reason, sizeof s->reason);
	feed_string(feed, s->power_profile, sizeof s->power_profile);
	feed_series(feed, &s->cpu_history);
	feed_series(feed, &s->memory_history);
}

/* Strings that options point to. */
struct drawn {
	char text[TEMPLATE_LENGTH_MAX + 1], alt[TEMPLATE_LENGTH_MAX + 1];
};

static inline bool is_template(const char *string)
{
	struct text ignored = text_over(NULL, 0);

	return template_check(string, &ignored);
}

static inline void feed_options(struct feed *feed, struct options *o, struct drawn *drawn)
{
	uint8_t bits = feed_byte(feed);
	uint32_t most;

	*o = (struct options){ .text = "{load1}", .interval_ms = 1000, .top_rows = 5 };
	o->markup = bits & 1;
	o->names = bits & 2;
	o->file_path = bits & 4 ? "x.prom" : NULL;
	o->kernel_threads = bits & 8;
	o->once = bits & 16;
	o->class_on_set = bits & 32;
	o->warning_set = bits & 64;
	o->critical_set = bits & 128;
	o->list = (enum list)feed_upto(feed, LISTS - 1);
	if (o->class_on_set)
		o->class_on = (enum metric)feed_upto(feed, METRICS - 1);
	most = o->class_on == METRIC_LOAD ? 1000000000 : 100000;
	o->critical_milli = (uint32_t)feed_upto(feed, most);
	o->warning_milli = (uint32_t)feed_upto(feed, o->critical_set ? o->critical_milli : most);
	feed_string(feed, drawn->text, sizeof drawn->text);
	feed_string(feed, drawn->alt, sizeof drawn->alt);
	if (drawn->text[0] && is_template(drawn->text)) {
		o->text = drawn->text;
		o->text_set = true;
	}
	if (drawn->alt[0] && is_template(drawn->alt))
		o->alt = drawn->alt;
}

/*
 * With RSTAT_FUZZ_KEEP=FOLDER each output is kept there for judges that are too slow to sit beside the fuzzer
 * (test/fuzz/judges.t).
 */
static inline void keep_output(const char *face, const struct text *t)
{
	static unsigned number;
	const char *folder = getenv("RSTAT_FUZZ_KEEP");
	char path[512];
	FILE *file;

	if (!folder)
		return;
	snprintf(path, sizeof path, "%s/%05u.%s", folder, number++, face);
	file = fopen(path, "w");
	MUST(file && fwrite(t->data, 1, t->used, file) == t->used && !fclose(file));
}

/* The face's output, in memory of exactly the size that it says is enough; one line feed, last, where it is of lines. */
static inline struct text write_face(const struct face *face, const struct sample *s, const struct options *o, size_t most)
{
	struct text t = text_over(malloc(most), most);

	MUST(t.data);
	face->write(&t, s, o);
	MUST(!t.cut && t.used && t.used <= most);
	return t;
}

#endif
