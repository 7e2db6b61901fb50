/* SPDX-License-Identifier: MIT */
/*
 * The temperature of the CPU, from the one sensor that is most likely its own: hwmon devices by
 * name and label, then thermal zones by type. Their numbers change from boot to boot and mean
 * nothing.
 */
#ifndef RSTAT_COLLECT_THERMAL_H
#define RSTAT_COLLECT_THERMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/sample.h"

enum { THERMAL_PATH_SIZE = 64 };

struct thermal_source {
	int input;		/* descriptor */
	char path[THERMAL_PATH_SIZE];	/* "hwmon/hwmon3/temp1_input", below sys/class; empty: none */
	bool known;		/* the last reading was plausible */
	int32_t millicelsius;
};

/*
 * Chooses the sensor: of those that give a plausible value now, the best. only: NAME or NAME:LABEL, the name of a hwmon
 * device with the label of an input, or the type of a thermal zone; NULL: what is known to be a CPU's.
 */
void thermal_open(struct thermal_source *thermal, int root, const char *only);

/* Sets millicelsius and known. */
void thermal_read(struct thermal_source *thermal);

/* How well a hwmon device of this name, or a thermal zone of this type, is known to be a CPU's: 0 best, negative not at all. */
int thermal_rank(bool zone, const char *name, size_t size);

/* Not below -20 and not above 150 degrees: what lies outside is a sensor that is off or broken. */
bool thermal_plausible(int64_t millicelsius);

#endif
