/* SPDX-License-Identifier: MIT */
#include "collect/thermal.h"

#include "collect/file.h"
#include "collect/gpu.h"
#include "collect/parse.h"
#include "loader/memory.h"
#include "loader/sys.h"
#include "loader/text.h"

enum {
	DEVICES_MAX = 64,
	INPUTS_MAX = 64,	/* of one device: its package and its first cores */
	LABELS_MAX = 3,
	TEXT_SIZE = 64,		/* of a name, type or label */
	PLAUSIBLE_MIN = -20000,
	PLAUSIBLE_MAX = 150000,
};

/*
 * The sensors that are known to be a CPU's, best first. A hwmon device has inputs with labels: the
 * first label that is found wins, and without any the first input does. Tctl is Tdie plus an offset
 * on some AMD models. acpitz measures whatever the firmware's author meant.
 */
static const struct candidate {
	bool zone;		/* a thermal zone of this type, not a hwmon device of this name */
	const char *name;	/* patterns: see parse_matches() */
	const char *label[LABELS_MAX];
} candidates[] = {
	{ false, "coretemp", { "Package id #" } },
	{ false, "via_cputemp", { 0 } },
	{ false, "cpu_thermal", { 0 } },
	{ false, "k10temp", { "Tdie", "Tctl", "Tccd#" } },
	{ false, "zenpower", { "Tdie", "Tctl", "Tccd#" } },
	{ false, "littlecore_thermal", { 0 } },
	{ false, "bigcore#_thermal", { 0 } },
	{ false, "cpu#_thermal", { 0 } },
	{ false, "soc_thermal", { 0 } },
	{ false, "scpi_sensors", { 0 } },
	{ true, "x86_pkg_temp", { 0 } },
	{ true, "cpu-thermal", { 0 } },
	{ true, "cpu_thermal", { 0 } },
	{ true, "cpu#-thermal", { 0 } },
	{ true, "soc*", { 0 } },
	{ false, "acpitz", { 0 } },
	{ true, "acpitz", { 0 } },
};

enum { CANDIDATES = sizeof candidates / sizeof candidates[0] };

bool thermal_plausible(int64_t millicelsius)
{
	return millicelsius >= PLAUSIBLE_MIN && millicelsius <= PLAUSIBLE_MAX;
}

/* What the file says, trimmed; nothing where it cannot be read. */
static struct parse read_text(int directory, const char *path, char bytes[TEXT_SIZE])
{
	int fd = file_open(directory, path);
	long size = file_read(&fd, bytes, TEXT_SIZE);

	file_close(&fd);
	return parse_trimmed(parse_over(bytes, size > 0 ? (size_t)size : 0));
}

/* The descriptor of an input that gives a plausible value, or -errno. */
static int open_plausible(int device, const char *path)
{
	int fd = file_open(device, path);
	int64_t value;

	if (fd < 0)
		return fd;
	if (file_read_number(&fd, &value) || !thermal_plausible(value)) {
		file_close(&fd);
		return -SYS_ENODATA;
	}
	return fd;
}

static struct parse read_label(int device, const char *input, char bytes[TEXT_SIZE])
{
	struct parse name = { .at = input, .end = input };
	char path[FILE_NAME_SIZE + sizeof "_label"];
	struct text text = text_over(path, sizeof path - 1);

	while (*name.end && *name.end != '_')
		name.end++;
	text_bytes(&text, name.at, parse_left(&name));
	text_string(&text, "_label");
	path[text.used] = '\0';
	return read_text(device, path, bytes);
}

/* The best input of a hwmon device, with its file's name: the descriptor, or -errno. labelled: none without the label. */
static int open_hwmon(int device, const struct candidate *candidate, bool labelled, char input[FILE_NAME_SIZE])
{
	char inputs[INPUTS_MAX][FILE_NAME_SIZE], bytes[TEXT_SIZE];
	int count = file_list(device, ".", "temp#_input", inputs, INPUTS_MAX);
	int fd = count < 0 ? count : -SYS_ENOENT;

	for (unsigned l = 0; l < LABELS_MAX && candidate->label[l]; l++) {
		for (int i = 0; i < count; i++) {
			struct parse label = read_label(device, inputs[i], bytes);

			if (!parse_matches(label, candidate->label[l]))
				continue;
			fd = open_plausible(device, inputs[i]);
			if (fd >= 0) {
				memcpy(input, inputs[i], FILE_NAME_SIZE);
				return fd;
			}
		}
	}
	for (int i = 0; i < count && fd < 0 && !labelled; i++) {
		fd = open_plausible(device, inputs[i]);
		memcpy(input, inputs[i], FILE_NAME_SIZE);
	}
	return fd;
}

static unsigned rank_of(bool zone, struct parse name)
{
	unsigned rank = 0;

	while (rank < CANDIDATES && (candidates[rank].zone != zone ||
				     !parse_matches(name, candidates[rank].name)))
		rank++;
	return rank;
}

int thermal_rank(bool zone, const char *name, size_t size)
{
	unsigned rank = rank_of(zone, parse_over(name, size));

	return rank < CANDIDATES ? (int)rank : -1;
}

/* What the user asked for, before the first colon and after it. */
struct wish {
	char name[TEXT_SIZE], label[TEXT_SIZE];	/* label empty: any */
	struct candidate candidate;
};

static void copy_text(char to[TEXT_SIZE], const char *from, size_t size)
{
	struct text text = text_over(to, TEXT_SIZE - 1);

	text_bytes(&text, from, size);
	to[text.used] = '\0';
}

static void read_wish(struct wish *wish, const char *only)
{
	size_t colon = 0, end;

	while (only[colon] && only[colon] != ':')
		colon++;
	for (end = colon; only[end];)
		end++;
	copy_text(wish->name, only, colon);
	copy_text(wish->label, only + colon + (only[colon] == ':'), end - colon - (only[colon] == ':'));
	wish->candidate = (struct candidate){ false, wish->name, { wish->label[0] ? wish->label : NULL } };
}

static void note_path(struct thermal_source *thermal, bool zone, const char *device, const char *input)
{
	struct text path = text_over(thermal->path, sizeof thermal->path - 1);

	text_string(&path, zone ? "thermal/" : "hwmon/");
	text_string(&path, device);
	text_char(&path, '/');
	text_string(&path, input);
	thermal->path[path.used] = '\0';
}

/*
 * Looks through one class for what ranks better than *best; if there is such a sensor, thermal->input
 * becomes it.
 */
static void choose(struct thermal_source *thermal, int root, bool zone, const struct wish *wish, unsigned *best)
{
	char devices[DEVICES_MAX][FILE_NAME_SIZE], bytes[TEXT_SIZE];
	int class = file_open(root, zone ? "sys/class/thermal" : "sys/class/hwmon");
	int count = class < 0 ? 0 :
				file_list(class, ".", zone ? "thermal_zone#" : "hwmon#", devices,
					  DEVICES_MAX);

	for (int i = 0; i < count; i++) {
		int device = file_open(class, devices[i]);
		struct parse name = read_text(device, zone ? "type" : "name", bytes);
		unsigned rank = !wish ? rank_of(zone, name) : parse_matches(name, wish->name) ? zone : CANDIDATES;
		char input[FILE_NAME_SIZE] = "temp";
		int fd;

		/* what the user asks for may be a GPU's */
		if (rank < *best && !(wish && !zone && gpu_device_asleep(device, "device"))) {
			fd = zone ? open_plausible(device, input) :
				    open_hwmon(device, wish ? &wish->candidate : &candidates[rank], wish && wish->label[0], input);
			if (fd >= 0) {
				file_close(&thermal->input);
				thermal->input = fd;
				*best = rank;
				note_path(thermal, zone, devices[i], input);
			}
		}
		file_close(&device);
	}
	file_close(&class);
}

void thermal_open(struct thermal_source *thermal, int root, const char *only)
{
	unsigned best = CANDIDATES;
	struct wish wish = { 0 }, *wanted = only ? &wish : NULL;

	if (only)
		read_wish(&wish, only);
	thermal->input = -SYS_EBADF;
	thermal->path[0] = '\0';
	thermal->known = false;
	choose(thermal, root, false, wanted, &best);
	if (!only || !wish.label[0])
		choose(thermal, root, true, wanted, &best);
}

void thermal_read(struct thermal_source *thermal)
{
	int64_t value;

	thermal->known = !file_read_number(&thermal->input, &value) && thermal_plausible(value);
	if (thermal->known)
		thermal->millicelsius = (int32_t)value;
}
