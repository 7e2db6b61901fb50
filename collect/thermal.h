/* SPDX-License-Identifier: MIT */
/*
 * The temperature of the CPU, from the one sensor that is most likely its own: hwmon devices by
 * name and label, then thermal zones by type. Their numbers change from boot to boot and mean
 * nothing.
 */
#ifndef RSTAT_COLLECT_THERMAL_H
#define RSTAT_COLLECT_THERMAL_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/pace.h"
#include "collect/sample.h"

struct thermal_source {
	int input;		/* descriptor */
	struct pace pace;	/* an ACPI sensor may take milliseconds */
	bool known;		/* the last reading, while the next is not due */
	int32_t millicelsius;
};

/* Chooses the sensor: of those that give a plausible value now, the best. */
void thermal_open(struct thermal_source *thermal, int root);

/* Sets temperature_millicelsius. */
void thermal_read(struct thermal_source *thermal, struct sample *sample);

/* Not below -20 and not above 150 degrees: what lies outside is a sensor that is off or broken. */
bool thermal_plausible(int64_t millicelsius);

#endif
