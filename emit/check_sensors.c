/* SPDX-License-Identifier: MIT */
/* The part of --check that lists the sensors: each with what it says now, what a reading took, and why it is shown or not. */
#include "collect/parse.h"
#include "emit/format.h"
#include "emit/reports.h"
#include "emit/safe.h"
#include "emit/words.h"
#include "loader/sys.h"

enum { NAME_WIDTH = 14, DEVICES_MAX = 32, INPUTS_MAX = 16, TEXT_SIZE = 64, PATH_SIZE = 160, REST_SIZE = 8192 /* of the report, for what follows */ };

struct report {
	struct text *out;
	struct monitor *monitor;
	const struct options *options;
	int class;		/* sys/class/hwmon or sys/class/thermal */
	unsigned listed, left_out;
};

static void put_kind(struct report *r, const char *kind)
{
	size_t length = word_length(kind);

	text_string(r->out, kind);
	format_gap(r->out, (unsigned)length, NAME_WIDTH);
	r->listed++;
}

static void put_cost(struct text *out, uint64_t cost_ns)
{
	text_string(out, ", read in ");
	format_duration(out, cost_ns);
	text_string(out, ": ");
}

static void put_errno(struct text *out, int error)
{
	text_string(out, "cannot be read (");
	text_errno(out, -error);
	text_char(out, ')');
}

/* A small file's text, trimmed, into `text`; its length. */
static size_t read_text(int directory, const char *path, char text[TEXT_SIZE])
{
	int fd = file_open(directory, path);
	long size = file_read(&fd, text, TEXT_SIZE);
	struct parse p = parse_trimmed(parse_over(text, size > 0 ? (size_t)size : 0));
	size_t length = parse_left(&p);

	for (size_t i = 0; i < length; i++)
		text[i] = p.at[i];
	file_close(&fd);
	return length;
}

static void join(char path[PATH_SIZE], const char *a, const char *b)
{
	struct text t = text_over(path, PATH_SIZE - 1);

	text_string(&t, a);
	text_string(&t, b);
	path[t.used] = '\0';
}

/* ---- temperatures */

static void put_verdict(struct report *r, bool zone, const char *path, const char *name, size_t size, int error, int64_t value)
{
	const struct thermal_source *thermal = &r->monitor->sources.thermal;

	if (thermal->input >= 0 && words_equal(thermal->path, path))
		text_string(r->out, "chosen");
	else if (error || !thermal_plausible(value))
		text_string(r->out, "left out, says nothing plausible");
	else if (r->options->sensors.temperature)
		text_string(r->out, "not what --temperature names");
	else if (thermal_rank(zone, name, size) < 0)
		text_string(r->out, "left out, not known to be a CPU's");
	else
		text_string(r->out, "left out, another one is nearer to the CPU");
	text_char(r->out, '\n');
}

/* device: "hwmon3"; input: "temp1_input". A machine with many disks has more of them than there is room for. */
static void put_temperature(struct report *r, bool zone, const char *device, const char *input)
{
	char path[PATH_SIZE], below[PATH_SIZE], full[PATH_SIZE], name[TEXT_SIZE], label[TEXT_SIZE];
	size_t name_size, label_size = 0, stem = 0;
	uint64_t began_ns;
	int64_t value = 0;
	bool asleep;
	int error;

	if (r->out->size - r->out->used < REST_SIZE) {
		r->left_out++;
		return;
	}
	join(below, device, "/");
	join(path, below, zone ? "type" : "name");
	name_size = read_text(r->class, path, name);
	while (input[stem] && input[stem] != '_')
		stem++;
	if (!zone) {
		struct text t = text_over(path, PATH_SIZE - 1);

		text_string(&t, below);
		text_bytes(&t, input, stem);
		text_string(&t, "_label");
		path[t.used] = '\0';
		label_size = read_text(r->class, path, label);
	}
	join(path, below, input);
	join(full, below, "device");
	asleep = !zone && gpu_device_asleep(r->class, full);
	began_ns = monitor_clock();
	error = asleep ? -SYS_EAGAIN : file_number_at(r->class, path, &value);
	put_kind(r, "temperature");
	text_string(r->out, zone ? "thermal/" : "hwmon/");
	safe_string(r->out, path, word_length(path), SAFE_PLAIN);
	text_char(r->out, ' ');
	safe_string(r->out, name, name_size, SAFE_PLAIN);
	if (label_size) {
		text_char(r->out, ':');
		safe_string(r->out, label, label_size, SAFE_PLAIN);
	}
	text_char(r->out, ' ');
	if (asleep) {
		text_string(r->out, "of a device that is asleep: left alone\n");
		return;
	}
	if (error) {
		put_errno(r->out, error);
	} else {
		text_signed(r->out, value / 1000);
		text_string(r->out, " °C");
	}
	put_cost(r->out, monitor_clock() - began_ns);
	join(full, zone ? "thermal/" : "hwmon/", path);
	put_verdict(r, zone, full, name, name_size, error, value);
}

static void put_temperatures(struct report *r, int root, bool zone)
{
	char devices[DEVICES_MAX][FILE_NAME_SIZE], inputs[INPUTS_MAX][FILE_NAME_SIZE];
	int count;

	r->class = file_open(root, zone ? "sys/class/thermal" : "sys/class/hwmon");
	count = r->class < 0 ? 0 : file_list(r->class, ".", zone ? "thermal_zone#" : "hwmon#", devices, DEVICES_MAX);
	for (int i = 0; i < count; i++) {
		int found = zone ? 0 : file_list(r->class, devices[i], "temp#_input", inputs, INPUTS_MAX);

		if (zone)
			put_temperature(r, true, devices[i], "temp");
		for (int j = 0; j < found; j++)
			put_temperature(r, false, devices[i], inputs[j]);
	}
	file_close(&r->class);
}

/* ---- the others, which have been opened: what is shown of them, and their last reading's cost */

static void put_age(struct report *r, uint64_t began_ns)
{
	text_string(r->out, ", read in ");
	format_duration(r->out, monitor_clock() - began_ns);
	text_char(r->out, '\n');
}

static void put_frequency(struct report *r)
{
	struct cpufreq_source *cpufreq = &r->monitor->sources.cpufreq;
	uint64_t began_ns = monitor_clock();

	if (!cpufreq->policies)
		return;
	cpufreq_read(cpufreq, monitor_clock, UINT64_MAX / 2);
	put_kind(r, "frequency");
	text_unsigned(r->out, cpufreq->policies);
	text_string(r->out, " policies of cpufreq, the fastest ");
	format_frequency(r->out, cpufreq->fastest_hz);
	put_age(r, began_ns);
}

static void put_profile(struct report *r)
{
	struct power_source *power = &r->monitor->sources.power;
	uint64_t began_ns = monitor_clock();

	if (power->profile < 0 && !power->packages)
		return;
	power_read(power);
	put_kind(r, "power");
	text_string(r->out, "profile ");
	if (power->known)
		safe_name(r->out, power->name, PROFILE_SIZE, SAFE_PLAIN);
	else
		text_string(r->out, "none");
	text_string(r->out, ", throttling counted of ");
	text_unsigned(r->out, power->packages);
	text_string(r->out, " packages");
	put_age(r, began_ns);
}

static void put_gpus(struct report *r)
{
	struct gpu_source *gpus = &r->monitor->sources.gpus;

	for (unsigned i = 0; i < gpus->count; i++) {
		const struct gpu_entry *shown = &gpus->gpu[i].shown;
		uint64_t began_ns = monitor_clock();

		gpu_read(gpus, &gpus->gpu[i], began_ns);
		put_kind(r, "gpu");
		safe_name(r->out, shown->name, sizeof shown->name, SAFE_PLAIN);
		text_char(r->out, ' ');
		safe_name(r->out, shown->driver, sizeof shown->driver, SAFE_PLAIN);
		text_string(r->out, shown->state == GPU_ASLEEP ? " asleep: nothing but that was read" :
			    shown->state == GPU_UNKNOWN ? " of which nothing is known" :
			    gpus->gpu[i].kind == GPU_OTHER ? " awake, of a driver of which only that is known" : " awake");
		if (shown->known & GPU_KNOWS_BUSY) {
			text_char(r->out, ' ');
			format_percent(r->out, shown->busy_ppm, false);
			text_string(r->out, "% busy");
		}
		if (shown->known & GPU_KNOWS_FREQUENCY) {
			text_char(r->out, ' ');
			format_frequency(r->out, shown->frequency_hz);
		}
		put_age(r, began_ns);
	}
	if (gpus->cards > 0 && (unsigned)gpus->cards > gpus->count) {
		put_kind(r, "gpu");
		text_unsigned(r->out, (unsigned)gpus->cards - gpus->count);
		text_string(r->out, r->options->sensors.gpu ? " more cards, left out by --gpu\n" : " more cards, without a driver, or too many\n");
	}
}

static void put_batteries(struct report *r)
{
	struct battery_source *batteries = &r->monitor->sources.batteries;

	for (unsigned i = 0; i < batteries->count; i++) {
		const struct battery_entry *shown = &batteries->battery[i].shown;
		uint64_t began_ns = monitor_clock();

		battery_read(&batteries->battery[i]);
		put_kind(r, "battery");
		safe_name(r->out, shown->name, sizeof shown->name, SAFE_PLAIN);
		text_char(r->out, ' ');
		safe_name(r->out, shown->status, sizeof shown->status, SAFE_PLAIN);
		if (shown->known & BATTERY_KNOWS_RATIO) {
			text_char(r->out, ' ');
			format_percent(r->out, shown->charge_ppm, false);
			text_char(r->out, '%');
		}
		put_age(r, began_ns);
	}
}

void check_sensors(struct text *out, struct monitor *monitor, const struct options *options)
{
	struct report r = { .out = out, .monitor = monitor, .options = options };
	const char *notice = sources_notice(&monitor->sources);
	int root = sys_open("/", SYS_O_RDONLY);

	put_temperatures(&r, root, false);
	put_temperatures(&r, root, true);
	if (r.left_out) {
		put_kind(&r, "temperature");
		text_unsigned(out, r.left_out);
		text_string(out, " more sensors, for which there is no room here\n");
	}
	if (root >= 0)
		sys_close(root);
	put_frequency(&r);
	put_profile(&r);
	put_gpus(&r);
	put_batteries(&r);
	if (!r.listed) {
		put_kind(&r, "sensors");
		text_string(out, "none: no temperature, frequency, power profile, GPU or battery that could be read\n");
	}
	if (notice) {
		put_kind(&r, "sensors");
		safe_string(out, notice, word_length(notice), SAFE_PLAIN);
		text_char(out, '\n');
	}
}
