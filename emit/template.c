/* SPDX-License-Identifier: MIT */
#include "emit/template.h"

#include "emit/format.h"
#include "emit/words.h"

enum kind {
	COUNT,		/* uint32_t */
	MILLI,		/* uint32_t, thousandths: two decimals */
	PERCENT,	/* uint32_t, ppm: a whole number */
	BYTES,		/* uint64_t */
	RATE,		/* uint64_t, bytes per second */
	FREQUENCY,	/* uint64_t, Hz */
	NANOSECONDS,	/* uint64_t */
	MILLISECONDS,	/* uint64_t */
	DEGREES,	/* int32_t, thousandths: a whole number */
	PROFILE,	/* char[PROFILE_SIZE] */
	PRESSURE,	/* struct pressure: some, percent */
	TOP,		/* struct top_list: the first name */
	GRAPH,		/* struct series */
	MEMORY_SHARE,	/* of the whole sample */
	SWAP_SHARE,
	GPU_PERCENT,	/* of the GPU that is shown first: below */
	GPU_DEGREES,
	GPU_CLOCK,
	GPU_SHARE,
	BATTERY_PERCENT,	/* of all batteries together */
	BATTERY_STATUS,
	BATTERY_WATTS,
};

static const struct placeholder {
	const char *name;
	uint16_t at;		/* the field's offset in struct sample */
	uint8_t kind;
	uint16_t needs;		/* KNOWS_* */
	const char *summary;
} placeholders[] = {
#define AT(field) __builtin_offsetof(struct sample, field)
	{ "load1", AT(load_milli[0]), MILLI, KNOWS_LOAD, "load average, 1 minute (0.52)" },
	{ "load5", AT(load_milli[1]), MILLI, KNOWS_LOAD, "5 minutes" },
	{ "load15", AT(load_milli[2]), MILLI, KNOWS_LOAD, "15 minutes" },
	{ "cpus", AT(cpus), COUNT, 0, "CPUs online" },
	{ "cpu", AT(cpu_ppm), PERCENT, KNOWS_RATES, "percent of all CPUs (7)" },
	{ "mem", 0, MEMORY_SHARE, KNOWS_MEMORY, "percent of memory used (42)" },
	{ "mem_used", AT(memory_used_bytes), BYTES, KNOWS_MEMORY, "memory used (6.2G)" },
	{ "mem_total", AT(memory_total_bytes), BYTES, KNOWS_MEMORY, "memory there is" },
	{ "mem_available", AT(memory_available_bytes), BYTES, KNOWS_MEMORY, "memory to be had" },
	{ "swap", 0, SWAP_SHARE, KNOWS_MEMORY, "percent of swap used" },
	{ "swap_used", AT(swap_used_bytes), BYTES, KNOWS_MEMORY, "swap used" },
	{ "swap_total", AT(swap_total_bytes), BYTES, KNOWS_MEMORY, "swap there is" },
	{ "temp", AT(temperature_millicelsius), DEGREES, KNOWS_TEMPERATURE,
	  "CPU temperature, degrees Celsius (54)" },
	{ "freq", AT(frequency_fastest_hz), FREQUENCY, KNOWS_FREQUENCY, "fastest CPU (3.4GHz)" },
	{ "freq_mean", AT(frequency_mean_hz), FREQUENCY, KNOWS_FREQUENCY, "mean over the CPUs" },
	{ "freq_max", AT(frequency_max_hz), FREQUENCY, KNOWS_FREQUENCY_MAX, "what they can reach" },
	{ "gpu", 0, GPU_PERCENT, 0, "percent of the busiest GPU that is awake" },
	{ "gpu_temp", 0, GPU_DEGREES, 0, "its temperature" },
	{ "gpu_freq", 0, GPU_CLOCK, 0, "its clock" },
	{ "gpu_mem", 0, GPU_SHARE, 0, "percent of its memory used" },
	{ "battery", 0, BATTERY_PERCENT, 0, "percent, the mean of all batteries" },
	{ "battery_status", 0, BATTERY_STATUS, 0, "of the first (Discharging)" },
	{ "battery_power", 0, BATTERY_WATTS, 0, "of all, in W (12.3)" },
	{ "profile", AT(power_profile), PROFILE, KNOWS_PROFILE, "power profile (balanced)" },
	{ "pressure_cpu", AT(pressure[PRESSURE_CPU]), PRESSURE, 0,
	  "percent of 10 s in which tasks waited for a CPU" },
	{ "pressure_memory", AT(pressure[PRESSURE_MEMORY]), PRESSURE, 0, "for memory" },
	{ "pressure_io", AT(pressure[PRESSURE_IO]), PRESSURE, 0, "for IO" },
	{ "io_read", AT(read_bytes_per_second), RATE, KNOWS_RATES, "read from devices (12M/s)" },
	{ "io_write", AT(write_bytes_per_second), RATE, KNOWS_RATES, "written to them" },
	{ "blocked", AT(blocked_count), COUNT, 0, "tasks in state D or Z" },
	{ "tasks", AT(tasks_total), COUNT, 0, "tasks, threads included" },
	{ "running", AT(tasks_running), COUNT, 0, "those that run or want to" },
	{ "top_cpu", AT(top_cpu), TOP, KNOWS_RATES, "the process that uses the most CPU" },
	{ "top_mem", AT(top_memory), TOP, 0, "the most memory" },
	{ "top_io", AT(top_io), TOP, KNOWS_RATES, "the most IO" },
	{ "cpu_graph", AT(cpu_history), GRAPH, 0, "CPU of the last 10 s, or intervals (▁▁▂▅▇█▃▁▁▁)" },
	{ "mem_graph", AT(memory_history), GRAPH, 0, "memory likewise" },
	{ "interval", AT(interval_ms), MILLISECONDS, 0, "between samples (1s)" },
	{ "cost", AT(cost_ns), NANOSECONDS, 0, "what this sample took (35µs)" },
#undef AT
};

enum { GRAPH_WIDTH = 10 };
enum { PLACEHOLDERS = sizeof placeholders / sizeof placeholders[0] };

static const char absent[] = "–";

static void put_share(struct text *out, uint64_t part, uint64_t whole)
{
	if (whole)
		format_percent(out, format_share(part, whole), false);
	else
		text_string(out, absent);
}

static void put_pressure(struct text *out, const struct pressure *pressure)
{
	if (pressure->known)
		format_percent(out, pressure->some_ppm, false);
	else
		text_string(out, absent);
}

static void put_top(struct text *out, const struct top_list *top, enum safe_for use)
{
	if (top->count)
		safe_name(out, top->entry[0].name, sizeof top->entry[0].name, use);
	else
		text_string(out, absent);
}

/* The busiest that is awake; NULL: none is. */
static const struct gpu_entry *busiest_gpu(const struct sample *s)
{
	const struct gpu_entry *found = NULL;

	for (unsigned i = 0; i < s->gpu_count; i++) {
		const struct gpu_entry *gpu = &s->gpu[i];

		if (gpu->state == GPU_ASLEEP)
			continue;
		if (!found || (gpu->known & GPU_KNOWS_BUSY &&
			       (!(found->known & GPU_KNOWS_BUSY) || gpu->busy_ppm > found->busy_ppm)))
			found = gpu;
	}
	return found;
}

static void put_gpu(struct text *out, enum kind kind, const struct sample *s)
{
	const struct gpu_entry *gpu = busiest_gpu(s);
	uint32_t known = gpu ? gpu->known : 0;

	if (kind == GPU_PERCENT && known & GPU_KNOWS_BUSY)
		format_percent(out, gpu->busy_ppm, false);
	else if (kind == GPU_DEGREES && known & GPU_KNOWS_TEMPERATURE)
		format_degrees(out, gpu->temperature_millicelsius);
	else if (kind == GPU_CLOCK && known & GPU_KNOWS_FREQUENCY)
		format_frequency(out, gpu->frequency_hz);
	else if (kind == GPU_SHARE && known & GPU_KNOWS_MEMORY)
		put_share(out, gpu->memory_used_bytes, gpu->memory_total_bytes);
	else
		text_string(out, absent);
}

static void put_battery(struct text *out, enum kind kind, const struct sample *s, enum safe_for use)
{
	uint64_t charge = 0, power = 0;
	unsigned charges = 0, powers = 0;

	for (unsigned i = 0; i < s->battery_count; i++) {
		const struct battery_entry *battery = &s->battery[i];

		if (battery->known & BATTERY_KNOWS_RATIO)
			charge += battery->charge_ppm, charges++;
		if (battery->known & BATTERY_KNOWS_POWER && !__builtin_add_overflow(power, battery->power_microwatts, &power))
			powers++;
	}
	if (kind == BATTERY_PERCENT && charges)
		format_percent(out, (uint32_t)(charge / charges), false);
	else if (kind == BATTERY_STATUS && s->battery_count && s->battery[0].status[0])
		safe_name(out, s->battery[0].status, sizeof s->battery[0].status, use);
	else if (kind == BATTERY_WATTS && powers)
		text_fixed(out, power, 6, 1);
	else
		text_string(out, absent);
}

static void put_value(struct text *out, const struct placeholder *p, const struct sample *s,
		      enum safe_for use)
{
	const void *field = (const char *)s + p->at;
	const uint32_t *u32 = field;
	const uint64_t *u64 = field;

	if ((s->known & p->needs) != p->needs) {
		text_string(out, absent);
		return;
	}
	switch ((enum kind)p->kind) {
	case COUNT: text_unsigned(out, *u32); break;
	case MILLI: text_fixed(out, *u32, 3, 2); break;
	case PERCENT: format_percent(out, *u32, false); break;
	case BYTES: format_bytes(out, *u64); break;
	case RATE: format_rate(out, *u64); break;
	case FREQUENCY: format_frequency(out, *u64); break;
	case NANOSECONDS: format_duration(out, *u64); break;
	case MILLISECONDS: format_duration(out, *u64 * 1000000); break;
	case DEGREES: format_degrees(out, *(const int32_t *)field); break;
	case PROFILE: safe_name(out, field, PROFILE_SIZE, use); break;
	case PRESSURE: put_pressure(out, field); break;
	case TOP: put_top(out, field, use); break;
	case GRAPH: format_graph(out, field, GRAPH_WIDTH); break;
	case MEMORY_SHARE: put_share(out, s->memory_used_bytes, s->memory_total_bytes); break;
	case SWAP_SHARE: put_share(out, s->swap_used_bytes, s->swap_total_bytes); break;
	case GPU_PERCENT:
	case GPU_DEGREES:
	case GPU_CLOCK:
	case GPU_SHARE: put_gpu(out, p->kind, s); break;
	case BATTERY_PERCENT:
	case BATTERY_STATUS:
	case BATTERY_WATTS: put_battery(out, p->kind, s, use); break;
	}
}

static const struct placeholder *find(const char *name, size_t length)
{
	for (unsigned i = 0; i < PLACEHOLDERS; i++) {
		if (word_is(placeholders[i].name, name, length))
			return &placeholders[i];
	}
	return NULL;
}

/* What comes next in a template. */
enum token { TOKEN_END, TOKEN_TEXT, TOKEN_CONTROL, TOKEN_PLACEHOLDER, TOKEN_OPEN, TOKEN_CLOSE };

/*
 * Moves *at over one token and says where its text or name is; OPEN and CLOSE are braces without a
 * partner, CONTROL the letter of \n or \t.
 */
static enum token next_token(const char **at, const char **start, size_t *length)
{
	const char *p = *at;

	*start = p;
	*length = 1;
	if (!*p)
		return TOKEN_END;
	if ((*p == '{' || *p == '}') && p[1] == *p) {
		*at = p + 2;
		return TOKEN_TEXT;
	}
	if (*p == '}')
		return TOKEN_CLOSE;
	if (*p == '\\' && (p[1] == 'n' || p[1] == 't' || p[1] == '\\')) {
		*start = p + 1;
		*at = p + 2;
		return p[1] == '\\' ? TOKEN_TEXT : TOKEN_CONTROL;
	}
	if (*p != '{') {
		do
			p++;
		while (*p && *p != '{' && *p != '}' && *p != '\\');
		*length = (size_t)(p - *start);
		*at = p;
		return TOKEN_TEXT;
	}
	*start = ++p;
	while (*p && *p != '{' && *p != '}')
		p++;
	*length = (size_t)(p - *start);
	if (*p != '}')
		return TOKEN_OPEN;
	*at = p + 1;
	return TOKEN_PLACEHOLDER;
}

static void put_names(struct text *out)
{
	text_string(out, "; there are");
	for (unsigned i = 0; i < PLACEHOLDERS; i++) {
		text_char(out, ' ');
		text_string(out, placeholders[i].name);
	}
}

bool template_check(const char *template, struct text *error)
{
	const char *at = template, *start;
	size_t length;

	if (word_length(template) > TEMPLATE_LENGTH_MAX) {
		text_string(error, "longer than ");
		text_unsigned(error, TEMPLATE_LENGTH_MAX);
		text_string(error, " bytes");
		return false;
	}
	for (;;) {
		switch (next_token(&at, &start, &length)) {
		case TOKEN_END: return true;
		case TOKEN_TEXT:
		case TOKEN_CONTROL: break;
		case TOKEN_PLACEHOLDER:
			if (find(start, length))
				break;
			text_string(error, "no placeholder {");
			safe_string(error, start, length, SAFE_PLAIN);
			text_char(error, '}');
			put_names(error);
			return false;
		case TOKEN_OPEN:
			text_string(error, "no } after {");
			safe_string(error, start, length, SAFE_PLAIN);
			text_string(error, " (a brace itself is {{)");
			put_names(error);
			return false;
		case TOKEN_CLOSE:
			text_string(error, "no { before } at byte ");
			text_unsigned(error, (uint64_t)(start - template) + 1);
			text_string(error, " (a brace itself is }})");
			put_names(error);
			return false;
		}
	}
}

static void put_control(struct text *out, char letter, enum safe_for use)
{
	if (use & SAFE_LINE) {
		text_char(out, ' ');
	} else if (use & SAFE_JSON) {
		text_char(out, '\\');
		text_char(out, letter);
	} else {
		text_char(out, letter == 'n' ? '\n' : '\t');
	}
}

void template_write(struct text *out, const char *template, const struct sample *s,
		    enum safe_for use)
{
	const char *at = template, *start;
	const struct placeholder *p;
	size_t length;

	for (;;) {
		switch (next_token(&at, &start, &length)) {
		case TOKEN_TEXT:
			safe_string(out, start, length, use & ~SAFE_PANGO);
			break;
		case TOKEN_CONTROL: put_control(out, *start, use); break;
		case TOKEN_PLACEHOLDER:
			p = find(start, length);
			if (p)
				put_value(out, p, s, use);
			break;
		default: return;
		}
	}
}

void template_list(struct text *out)
{
	for (unsigned i = 0; i < PLACEHOLDERS; i++) {
		text_string(out, "  {");
		text_string(out, placeholders[i].name);
		text_char(out, '}');
		format_gap(out, (unsigned)word_length(placeholders[i].name) + 4, 22);
		text_string(out, placeholders[i].summary);
		text_char(out, '\n');
	}
}
