/* SPDX-License-Identifier: MIT */
#include "emit/options.h"

#include "collect/sample.h"
#include "emit/face.h"
#include "emit/format.h"
#include "emit/openmetrics.h"
#include "emit/safe.h"
#include "emit/template.h"
#include "emit/words.h"

enum { WRONG_USAGE = 2 };

const char *const metric_names[METRICS] = {
	[METRIC_LOAD] = "load",
	[METRIC_CPU] = "cpu",
	[METRIC_MEMORY] = "mem",
	[METRIC_PRESSURE] = "pressure",
};

static const char default_text[] = "{load1}";

enum takes { NOTHING, VALUE, VALUE_OR_NOTHING };

struct option {
	char letter;		/* or 0 */
	const char *name;
	const char *value;	/* as --help calls it */
	enum takes takes;
	enum action action;	/* what it asks for, if not a change of ACTION_RUN */
	bool (*set)(struct options *o, const char *value);	/* false: not a value it takes */
	void (*explain)(const char *value, struct text *error);	/* instead of `wants` */
	const char *wants;
	const char *help;	/* may have several lines */
};

/* ---- values: the whole word is one, or it is wrong */

/*
 * A decimal number with at most `decimals` places, times 10^decimals, in 0..max. Returns what
 * follows, or NULL.
 */
static const char *read_number(const char *word, unsigned decimals, uint64_t max, uint64_t *number)
{
	bool point = false, digit = false;
	unsigned places = 0;
	uint64_t value = 0;

	for (; (*word >= '0' && *word <= '9') || (*word == '.' && decimals && digit && !point);
	     word++) {
		if (*word == '.') {
			point = true;
			digit = false;
			continue;
		}
		if (point && ++places > decimals)
			return NULL;
		digit = true;
		if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*word - '0'), &value))
			return NULL;
	}
	if (!digit)
		return NULL;
	for (; places < decimals; places++) {
		if (__builtin_mul_overflow(value, UINT64_C(10), &value))
			return NULL;
	}
	if (value > max)
		return NULL;
	*number = value;
	return word;
}

static bool whole(const char *word, uint32_t min, uint32_t max, uint32_t *number)
{
	uint64_t value;
	const char *rest = read_number(word, 0, max, &value);

	if (!rest || *rest || value < min)
		return false;
	*number = (uint32_t)value;
	return true;
}

static bool decimal(const char *word, unsigned decimals, uint32_t max, uint32_t *number)
{
	uint64_t value;
	const char *rest = read_number(word, decimals, max, &value);

	if (!rest || *rest)
		return false;
	*number = (uint32_t)value;
	return true;
}

/* Bytes, or with a suffix units of a power of 1024. */
static bool size(const char *word, uint64_t *bytes)
{
	static const char suffixes[] = "KMGT";
	uint64_t value;
	const char *rest = read_number(word, 0, UINT64_MAX, &value);

	if (!rest)
		return false;
	for (unsigned i = 0; i < 4 && *rest; i++) {
		if ((*rest & ~0x20) != suffixes[i])
			continue;
		if (value > UINT64_MAX >> (10 * (i + 1)))
			return false;
		value <<= 10 * (i + 1);
		rest++;
		break;
	}
	if (*rest)
		return false;
	*bytes = value;
	return true;
}

/* ---- one function per option */

static bool set_output(struct options *o, const char *value)
{
	o->face = words_equal(value, "auto") ? NULL : face_find(value);
	return o->face || words_equal(value, "auto");
}

static void explain_output(const char *value, struct text *error)
{
	(void)value;
	text_string(error, "no such face; there are auto ");
	face_names(error);
}

static bool set_interval(struct options *o, const char *value)
{
	return whole(value, 10, 60000, &o->interval_ms);
}

static bool set_count(struct options *o, const char *value)
{
	return whole(value, 0, UINT32_MAX, &o->lines);
}

static bool set_once(struct options *o, const char *value)
{
	(void)value;
	o->once = true;
	return true;
}

static bool set_top(struct options *o, const char *value)
{
	o->top_set = true;
	return whole(value, 0, TOP_MAX, &o->top_rows);
}

static bool set_min_cpu(struct options *o, const char *value)
{
	o->min_cpu_set = true;
	return decimal(value, 4, PPM, &o->min_cpu_ppm);
}

static bool set_min_memory(struct options *o, const char *value)
{
	o->min_memory_set = true;
	return size(value, &o->min_memory_bytes);
}

static bool set_min_io(struct options *o, const char *value)
{
	o->min_io_set = true;
	return size(value, &o->min_io_bytes_per_second);
}

static bool set_no_kernel(struct options *o, const char *value)
{
	(void)value;
	o->kernel_threads = false;
	return true;
}

static bool template_valid(const char *value)
{
	struct text ignored = text_over(NULL, 0);

	return template_check(value, &ignored);
}

static bool set_text(struct options *o, const char *value)
{
	o->text = value;
	o->text_set = true;
	return template_valid(value);
}

static bool set_alt(struct options *o, const char *value)
{
	o->alt = value;
	return template_valid(value);
}

static void explain_template(const char *value, struct text *error)
{
	template_check(value, error);
}

static bool set_no_markup(struct options *o, const char *value)
{
	(void)value;
	o->markup = false;
	return true;
}

static bool set_class_on(struct options *o, const char *value)
{
	for (unsigned i = 0; i < METRICS; i++) {
		if (!words_equal(metric_names[i], value))
			continue;
		o->class_on = i;
		o->class_on_set = true;
		return true;
	}
	return false;
}

static bool set_warning(struct options *o, const char *value)
{
	o->warning_set = true;
	return decimal(value, 3, 1000000000, &o->warning_milli);
}

static bool set_critical(struct options *o, const char *value)
{
	o->critical_set = true;
	return decimal(value, 3, 1000000000, &o->critical_milli);
}

/* A name that a device may have: not empty, no path. */
static bool device_name(const char *value)
{
	if (!*value)
		return false;
	for (; *value; value++)
		if (*value < ' ' || *value > '~' || *value == '/')
			return false;
	return true;
}

static bool set_temperature(struct options *o, const char *value)
{
	o->sensors.temperature = value;
	return device_name(value) && *value != ':' && value[word_length(value) - 1] != ':';
}

static bool set_gpu(struct options *o, const char *value)
{
	o->sensors.gpu = value;
	return device_name(value);
}

static bool set_battery(struct options *o, const char *value)
{
	o->sensors.battery = value;
	return device_name(value);
}

static bool set_budget(struct options *o, const char *value)
{
	uint32_t us;

	if (!whole(value, 10, 1000000, &us))
		return false;
	o->sensors.budget_ns = us * UINT64_C(1000);
	return true;
}

/* The collector reads no others; "x/.prom" is none. */
static bool set_file(struct options *o, const char *value)
{
	static const char end[] = ".prom";
	size_t length = word_length(value), tail = sizeof end - 1;

	o->file_path = value;
	return length > tail && words_equal(value + length - tail, end) && value[length - tail - 1] != '/';
}

static bool set_names(struct options *o, const char *value)
{
	(void)value;
	o->names = true;
	return true;
}

static bool set_attach(struct options *o, const char *value)
{
	static const char *const names[] = {
		[ATTACH_AUTO] = "auto", [ATTACH_BTF] = "btf", [ATTACH_RAW] = "raw", [ATTACH_PERF] = "perf",
		[ATTACH_PROC] = "proc",
	};

	for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (!words_equal(names[i], value))
			continue;
		o->attach = i;
		return true;
	}
	return false;
}

static bool set_max_tasks(struct options *o, const char *value)
{
	return whole(value, 64, 4194304, &o->max_tasks);
}

static bool set_probe(struct options *o, const char *value)
{
	o->probe_path = value;
	return *value;
}

static bool set_samples(struct options *o, const char *value)
{
	return whole(value, 1, 1000000, &o->bench_samples);
}

static bool set_seconds(struct options *o, const char *value)
{
	return whole(value, 1, 3600, &o->profile_seconds);
}

static const struct option options[] = {
	{ .letter = 'o', .name = "output", .value = "FACE", .takes = VALUE,
	  .set = set_output, .explain = explain_output,
	  .help = "auto, waybar, i3bar, json, term, text, openmetrics\n"
		  "(see --list);\n"
		  "auto: term on a terminal, else waybar" },
	{ .letter = 'i', .name = "interval", .value = "MS", .takes = VALUE,
	  .set = set_interval, .wants = "milliseconds, 10 to 60000",
	  .help = "milliseconds between samples, 10 to 60000 (1000);\n"
		  "bars redraw at most every 100" },
	{ .letter = 'n', .name = "count", .value = "N", .takes = VALUE,
	  .set = set_count, .wants = "lines, 0 to 4294967295",
	  .help = "stop after N lines; 0: never (0)" },
	{ .name = "once", .set = set_once,
	  .help = "one line after one interval, with rates" },
	{ .letter = 't', .name = "top", .value = "N", .takes = VALUE,
	  .set = set_top, .wants = "rows, 0 to 20",
	  .help = "rows per list, 0 to 20 (5)" },
	{ .name = "min-cpu", .value = "PCT", .takes = VALUE,
	  .set = set_min_cpu, .wants = "percent of all CPUs, 0 to 100, at most 4 decimals",
	  .help = "list processes from PCT of all CPUs on (1)" },
	{ .name = "min-mem", .value = "SIZE", .takes = VALUE,
	  .set = set_min_memory, .wants = "bytes below 2^64, whole, or with K M G T",
	  .help = "from SIZE of memory on (250M, or 5% of memory\n"
		  "where that is less)" },
	{ .name = "min-io", .value = "SIZE", .takes = VALUE,
	  .set = set_min_io, .wants = "bytes below 2^64, whole, or with K M G T",
	  .help = "from SIZE of IO per second on (1M)" },
	{ .name = "no-kernel", .set = set_no_kernel,
	  .help = "leave kernel threads out" },
	{ .name = "text", .value = "TEMPLATE", .takes = VALUE,
	  .set = set_text, .explain = explain_template,
	  .help = "the bar's text, like '{load1} {cpu}% {mem}%';\n"
		  "{{ is a brace; --list has the names ({load1})" },
	{ .name = "alt", .value = "TEMPLATE", .takes = VALUE,
	  .set = set_alt, .explain = explain_template,
	  .help = "waybar's alt (the state: ok, warning, critical)" },
	{ .name = "no-markup", .set = set_no_markup,
	  .help = "no Pango markup, for Waybar's \"escape\": true" },
	{ .name = "class-on", .value = "METRIC", .takes = VALUE,
	  .set = set_class_on, .wants = "load, cpu, mem or pressure",
	  .help = "what decides waybar's class: load, cpu, mem or\n"
		  "pressure (load); then also its percentage (cpu)" },
	{ .name = "warning", .value = "X", .takes = VALUE,
	  .set = set_warning, .wants = "a number, 0 to 1000000, at most 3 decimals",
	  .help = "from where on, in percent or load (load 1 per CPU,\n"
		  "cpu 70, mem 80, pressure 20)" },
	{ .name = "critical", .value = "X", .takes = VALUE,
	  .set = set_critical, .wants = "a number, 0 to 1000000, at most 3 decimals",
	  .help = "likewise (load 2 per CPU, cpu 90, mem 95,\n"
		  "pressure 50)" },
	{ .name = "file", .value = "PATH", .takes = VALUE,
	  .set = set_file, .wants = "a path that ends in .prom, for node_exporter's textfile collector",
	  .help = "openmetrics: replace this file, X.prom, instead of\n"
		  "writing to stdout" },
	{ .name = "names", .set = set_names,
	  .help = "openmetrics: the top lists too, summed by name" },
	{ .name = "temperature", .value = "NAME", .takes = VALUE,
	  .set = set_temperature, .wants = "a sensor's name, as --check lists it, or NAME:LABEL",
	  .help = "the sensor to show, NAME or NAME:LABEL (the CPU's\n"
		  "own; --check lists them)" },
	{ .name = "gpu", .value = "NAME", .takes = VALUE,
	  .set = set_gpu, .wants = "a card, a driver, or none",
	  .help = "a card or a driver, or none (all)" },
	{ .name = "battery", .value = "NAME", .takes = VALUE,
	  .set = set_battery, .wants = "a battery, or none",
	  .help = "a battery, or none (all)" },
	{ .name = "budget", .value = "US", .takes = VALUE,
	  .set = set_budget, .wants = "microseconds, 10 to 1000000",
	  .help = "what sensors may take of an average sample, in\n"
		  "microseconds (200): slow ones are read less often" },
	{ .name = "attach", .value = "HOW", .takes = VALUE,
	  .set = set_attach, .wants = "auto, btf, raw, perf or proc",
	  .help = "where tasks come from: a probe by btf, raw or\n"
		  "perf, or proc, a walk over /proc (auto: the first\n"
		  "of these that works)" },
	{ .name = "max-tasks", .value = "N", .takes = VALUE,
	  .set = set_max_tasks, .wants = "tasks, 64 to 4194304",
	  .help = "tasks there is room for, 64 to 4194304 (sized\n"
		  "from the machine)" },
	{ .name = "probe", .value = "FILE", .takes = VALUE,
	  .set = set_probe, .wants = "a path",
	  .help = "load this object instead of the built-in one;\n"
		  "refused with raised privileges" },
	{ .name = "check", .action = ACTION_CHECK,
	  .help = "what this machine offers; exit 0 if it works" },
	{ .name = "bench", .value = "N", .takes = VALUE_OR_NOTHING, .action = ACTION_BENCH,
	  .set = set_samples, .wants = "samples, 1 to 1000000",
	  .help = "what N samples 1 ms apart cost (1000)" },
	{ .name = "profile", .value = "SEC", .takes = VALUE_OR_NOTHING, .action = ACTION_PROFILE,
	  .set = set_seconds, .wants = "seconds, 1 to 3600",
	  .help = "what the probe costs per switch, over SEC seconds\n"
		  "(5); needs CAP_SYS_ADMIN" },
	{ .name = "list", .action = ACTION_LIST, .help = "faces and placeholders" },
	{ .letter = 'h', .name = "help", .action = ACTION_HELP, .help = "this text" },
	{ .letter = 'V', .name = "version", .action = ACTION_VERSION, .help = "the version" },
};

enum { OPTIONS = sizeof options / sizeof options[0] };

/* ---- the command line */

static const struct option *find_letter(char letter)
{
	for (unsigned i = 0; i < OPTIONS; i++) {
		if (letter && options[i].letter == letter)
			return &options[i];
	}
	return NULL;
}

static const struct option *find_name(const char *name, size_t length)
{
	for (unsigned i = 0; i < OPTIONS; i++) {
		if (word_is(options[i].name, name, length))
			return &options[i];
	}
	return NULL;
}

/*
 * A word of the command line as a message shows it: harmless, and not all of it where it is long.
 */
static void put_word(struct text *error, const char *word)
{
	enum { SHOWN = 80 };
	size_t length = word_length(word);

	text_char(error, '\'');
	safe_string(error, word, length < SHOWN ? length : SHOWN, SAFE_PLAIN);
	text_string(error, length > SHOWN ? "...'" : "'");
}

static int refuse_word(struct text *error, const char *what, const char *word)
{
	text_string(error, what);
	put_word(error, word);
	text_string(error, "; rstat --help lists the options");
	return WRONG_USAGE;
}

/* "--interval '5': wants milliseconds, 10 to 60000"; value is NULL where it is missing. */
static int refuse_value(struct text *error, const struct option *option, const char *value)
{
	text_string(error, "--");
	text_string(error, option->name);
	if (!value) {
		text_string(error, " needs a value: ");
		text_string(error, option->wants ? option->wants : option->value);
		return WRONG_USAGE;
	}
	text_char(error, ' ');
	put_word(error, value);
	text_string(error, ": ");
	if (option->takes == NOTHING) {
		text_string(error, "takes no value");
	} else if (option->explain) {
		option->explain(value, error);
	} else {
		text_string(error, "wants ");
		text_string(error, option->wants);
	}
	return WRONG_USAGE;
}

/* The option that argv[*at] is, with its value if that is in the same word; NULL if it is none. */
static const struct option *read_word(const char *word, const char **value)
{
	size_t length = 2;

	*value = NULL;
	if (word[0] != '-' || !word[1])
		return NULL;
	if (word[1] != '-') {
		if (word[2])
			*value = word + 2;
		return find_letter(word[1]);
	}
	while (word[length] && word[length] != '=')
		length++;
	if (word[length])
		*value = word + length + 1;
	return find_name(word + 2, length - 2);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Limits that depend on another option. */
static int check_limits(const struct options *o, struct text *error)
{
	enum { FULL_MILLI = 100000 };
	bool percent = o->class_on != METRIC_LOAD;

	if (percent && ((o->warning_set && o->warning_milli > FULL_MILLI) ||
			(o->critical_set && o->critical_milli > FULL_MILLI))) {
		text_string(error, "--warning and --critical: wants percent, 0 to 100, "
				   "with --class-on ");
		text_string(error, metric_names[o->class_on]);
		return WRONG_USAGE;
	}
	if (o->warning_set && o->critical_set && o->warning_milli > o->critical_milli) {
		text_string(error, "--warning ");
		text_fixed(error, o->warning_milli, 3, 3);
		text_string(error, ": wants at most --critical, ");
		text_fixed(error, o->critical_milli, 3, 3);
		return WRONG_USAGE;
	}
	if (o->probe_path && o->attach == ATTACH_PROC) {
		text_string(error, "--probe: there is no probe with --attach proc");
		return WRONG_USAGE;
	}
	return 0;
}

/* What is of the face openmetrics alone. A file without a face asks for it. */
static int check_metrics(struct options *o, struct text *error)
{
	if (o->file_path && !o->face)
		o->face = &openmetrics_face;
	if ((!o->file_path && !o->names) || o->face == &openmetrics_face)
		return 0;
	text_string(error, o->file_path ? "--file" : "--names");
	text_string(error, " goes with --output openmetrics");
	return WRONG_USAGE;
}

int options_parse(struct options *o, int argc, char **argv, struct text *error)
{
	const struct option *option;
	const char *value;

	*o = (struct options){
		.interval_ms = 1000,
		.top_rows = 5,
		.kernel_threads = true,
		.text = default_text,
		.markup = true,
		.bench_samples = 1000,
		.profile_seconds = 5,
	};
	for (int i = 1; i < argc; i++) {
		if (words_equal(argv[i], "--")) {
			if (i + 1 < argc)
				return refuse_word(error, "unexpected argument ", argv[i + 1]);
			break;
		}
		option = read_word(argv[i], &value);
		if (!option && argv[i][0] == '-' && argv[i][1])
			return refuse_word(error, "unknown option ", argv[i]);
		if (!option)
			return refuse_word(error, "unexpected argument ", argv[i]);
		if (option->takes == NOTHING && value)
			return refuse_value(error, option, value);
		if (!value && i + 1 < argc &&
		    (option->takes == VALUE ||
		     (option->takes == VALUE_OR_NOTHING && is_digit(argv[i + 1][0]))))
			value = argv[++i];
		if (option->takes == VALUE && !value)
			return refuse_value(error, option, NULL);
		if (option->action)
			o->action = option->action;
		if (option->set && (value || option->takes == NOTHING) && !option->set(o, value))
			return refuse_value(error, option, value);
		if (o->action == ACTION_HELP || o->action == ACTION_VERSION)
			return 0;
	}
	return check_limits(o, error) || check_metrics(o, error) ? WRONG_USAGE : 0;
}

/* ---- what --help and --list print */

static void put_help(struct text *out, const struct option *option)
{
	enum { HELP_COLUMN = 26 };
	size_t start = out->used;

	text_string(out, "  ");
	if (option->letter) {
		text_char(out, '-');
		text_char(out, option->letter);
		text_string(out, ", --");
	} else {
		text_string(out, "    --");
	}
	text_string(out, option->name);
	if (option->value) {
		text_string(out, option->takes == VALUE ? " " : " [");
		text_string(out, option->value);
		text_string(out, option->takes == VALUE ? "" : "]");
	}
	format_left(out, start, HELP_COLUMN);
	for (const char *c = option->help; *c; c++) {
		text_char(out, *c);
		if (*c == '\n')
			format_gap(out, 0, HELP_COLUMN);
	}
	text_char(out, '\n');
}

void options_help(struct text *out)
{
	text_string(out, "usage: rstat [options]\n"
			 "Samples this machine and prints a line per interval, "
			 "for a status bar.\n\n");
	for (unsigned i = 0; i < OPTIONS; i++)
		put_help(out, &options[i]);
	text_string(out, "\nSignals: USR1 a line now, USR2 or 34 the next interval, 35 kernel threads on\n"
			 "and off, 36 the next top list alone, 37 faster, 38 slower, 39 pause, 40 go on.\n"
			 "Exit: 0 done, 1 cannot do it, 2 wrong usage.\n");
}

void options_list(struct text *out)
{
	text_string(out, "Faces, for --output:\n");
	face_list(out);
	text_string(out, "\nPlaceholders, for --text and --alt:\n");
	template_list(out);
}
