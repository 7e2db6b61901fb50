/* SPDX-License-Identifier: MIT */
/*
 * Batteries of the machine itself, not of a mouse (Documentation/ABI/testing/sysfs-class-power: type Battery, scope not
 * Device). What an attribute's absence leaves unknown costs that field.
 */
#ifndef RSTAT_COLLECT_BATTERY_H
#define RSTAT_COLLECT_BATTERY_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/file.h"
#include "collect/sample.h"

enum battery_file { BATTERY_STATUS, BATTERY_CAPACITY, BATTERY_CHARGE, BATTERY_POWER, BATTERY_CURRENT, BATTERY_VOLTAGE, BATTERY_FILES };

struct battery {
	struct battery_entry shown;
	int file[BATTERY_FILES];	/* CHARGE: energy_now (uWh) or charge_now (uAh); of `full` the unit is the same */
	int64_t full;			/* 0: unknown, then the capacity in percent is shown */
	uint32_t opened;		/* a set of bits: files that were there */
	bool gone;
};

struct battery_source {
	unsigned count;
	struct battery battery[BATTERIES_MAX];
	unsigned supplies;		/* of any type: to see that some came or went */
};

/* Finds them below root. only: a name, or "none"; NULL: all. */
void battery_open(struct battery_source *batteries, int root, const char *only);
void battery_close(struct battery_source *batteries);

/* Whether there are more or fewer power supplies than when it was opened. */
bool battery_changed(const struct battery_source *batteries, int root);

/* Whether a file of it that was there is not any more. */
bool battery_lost(const struct battery *battery);

/* Reads one into battery->shown. */
void battery_read(struct battery *battery);

#endif
