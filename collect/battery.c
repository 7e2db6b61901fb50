/* SPDX-License-Identifier: MIT */
#include "collect/battery.h"

#include "collect/parse.h"
#include "loader/memory.h"
#include "loader/sys.h"

enum { SUPPLIES_MAX = 16, WORD_SIZE = 32, PERCENT = 100, UNITS_PER_MICRO = 1000000 };

static const char folder[] = "sys/class/power_supply";

/* Printable, at most DEVICE_NAME_SIZE - 1 bytes; empty where it is not. */
static void copy_word(char to[DEVICE_NAME_SIZE], struct parse from)
{
	size_t length = parse_left(&from) < DEVICE_NAME_SIZE - 1 ? parse_left(&from) : DEVICE_NAME_SIZE - 1;

	for (size_t i = 0; i < length; i++)
		if (from.at[i] < ' ' || from.at[i] > '~')
			length = 0;
	memcpy(to, from.at, length);
	memset(to + length, 0, DEVICE_NAME_SIZE - length);
}

static struct parse read_word(int *fd, char bytes[WORD_SIZE])
{
	long size = file_read(fd, bytes, WORD_SIZE);

	return parse_trimmed(parse_over(bytes, size > 0 ? (size_t)size : 0));
}

static bool says(int supply, const char *path, const char *word)
{
	char bytes[WORD_SIZE];
	int fd = file_open(supply, path);
	bool same = parse_matches(read_word(&fd, bytes), word);

	file_close(&fd);
	return same;
}

/* How much is in it: energy or charge, whichever comes with what a full one has. */
static void open_charge(struct battery *battery, int supply)
{
	static const struct {
		const char *now, *full;
	} pairs[] = { { "energy_now", "energy_full" }, { "charge_now", "charge_full" } };

	for (unsigned i = 0; i < 2 && battery->full <= 0; i++) {
		if (file_number_at(supply, pairs[i].full, &battery->full) || battery->full <= 0)
			continue;
		battery->file[BATTERY_CHARGE] = file_open(supply, pairs[i].now);
		if (battery->file[BATTERY_CHARGE] < 0)
			battery->full = 0;
	}
}

static void open_battery(struct battery_source *batteries, int supply, const char *name)
{
	static const char *const files[BATTERY_FILES] = {
		[BATTERY_STATUS] = "status", [BATTERY_CAPACITY] = "capacity", [BATTERY_POWER] = "power_now",
		[BATTERY_CURRENT] = "current_now", [BATTERY_VOLTAGE] = "voltage_now",
	};
	struct battery *battery = &batteries->battery[batteries->count++];

	*battery = (struct battery){ 0 };
	copy_word(battery->shown.name, parse_word(name));
	for (unsigned i = 0; i < BATTERY_FILES; i++)
		battery->file[i] = -SYS_EBADF;
	for (unsigned i = 0; i < BATTERY_FILES; i++)
		if ((i < BATTERY_CURRENT || battery->file[BATTERY_POWER] < 0) && files[i])
			battery->file[i] = file_open(supply, files[i]);
	open_charge(battery, supply);
	for (unsigned i = 0; i < BATTERY_FILES; i++)
		battery->opened |= battery->file[i] >= 0 ? 1u << i : 0;
}

bool battery_lost(const struct battery *battery)
{
	for (unsigned i = 0; i < BATTERY_FILES; i++)
		if (battery->opened >> i & 1 && battery->file[i] < 0)
			return true;
	return false;
}

static bool is_battery(int supply)
{
	return says(supply, "type", "Battery") && !says(supply, "scope", "Device") && !says(supply, "present", "0");
}

static int list(int root, char names[SUPPLIES_MAX][FILE_NAME_SIZE])
{
	int count = file_list(root, folder, "*", names, SUPPLIES_MAX);

	return count > 0 ? count : 0;
}

void battery_open(struct battery_source *batteries, int root, const char *only)
{
	char names[SUPPLIES_MAX][FILE_NAME_SIZE];
	int count = list(root, names), class = file_open(root, folder);

	batteries->count = 0;
	batteries->supplies = 0;
	for (int i = 0; i < count; i++) {
		struct parse name = parse_word(names[i]);
		int supply;

		if (names[i][0] == '.')
			continue;
		batteries->supplies++;
		if (batteries->count == BATTERIES_MAX || (only && !parse_matches(name, only)))
			continue;
		supply = file_open(class, names[i]);
		if (is_battery(supply))
			open_battery(batteries, supply, names[i]);
		file_close(&supply);
	}
	file_close(&class);
}

void battery_close(struct battery_source *batteries)
{
	for (unsigned i = 0; i < batteries->count; i++)
		for (unsigned j = 0; j < BATTERY_FILES; j++)
			file_close(&batteries->battery[i].file[j]);
	batteries->count = 0;
}

bool battery_changed(const struct battery_source *batteries, int root)
{
	char names[SUPPLIES_MAX][FILE_NAME_SIZE];
	int count = list(root, names);
	unsigned supplies = 0;

	for (int i = 0; i < count; i++)
		supplies += names[i][0] != '.';
	return supplies != batteries->supplies;
}

static void read_charge(struct battery *battery)
{
	struct battery_entry *shown = &battery->shown;
	int64_t now;

	if (battery->full > 0 && !file_read_number(&battery->file[BATTERY_CHARGE], &now) && now >= 0) {
		/* a worn one may hold more than it says it can */
		if (now > battery->full)
			now = battery->full;
		if (now > INT64_MAX / PPM)
			return;
		shown->charge_ppm = (uint32_t)(now * PPM / battery->full);
	} else if (!file_read_number(&battery->file[BATTERY_CAPACITY], &now) && now >= 0 && now <= PERCENT) {
		shown->charge_ppm = (uint32_t)now * (PPM / PERCENT);
	} else {
		return;
	}
	shown->known |= BATTERY_KNOWS_RATIO;
}

/* Some drivers say it with a sign, others without one. */
static uint64_t magnitude(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static void read_power(struct battery *battery)
{
	struct battery_entry *shown = &battery->shown;
	int64_t power, current, voltage;
	uint64_t product;

	if (!file_read_number(&battery->file[BATTERY_POWER], &power)) {
		shown->power_microwatts = magnitude(power);
	} else if (!file_read_number(&battery->file[BATTERY_CURRENT], &current) &&
		   !file_read_number(&battery->file[BATTERY_VOLTAGE], &voltage) && voltage >= 0 &&
		   !__builtin_mul_overflow(magnitude(current), (uint64_t)voltage, &product)) {
		shown->power_microwatts = product / UNITS_PER_MICRO;
	} else {
		return;
	}
	shown->known |= BATTERY_KNOWS_POWER;
}

void battery_read(struct battery *battery)
{
	char bytes[WORD_SIZE];

	battery->shown.known = 0;
	copy_word(battery->shown.status, read_word(&battery->file[BATTERY_STATUS], bytes));
	read_charge(battery);
	read_power(battery);
	battery->gone = true;
	for (unsigned i = 0; i < BATTERY_FILES; i++)
		battery->gone &= battery->file[i] < 0;
}
