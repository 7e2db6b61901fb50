/* SPDX-License-Identifier: MIT */
/*
 * What holds the machine back: the power profile it was set to, and CPUs that throttle because they
 * are hot.
 */
#ifndef RSTAT_COLLECT_POWER_H
#define RSTAT_COLLECT_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/pace.h"
#include "collect/sample.h"

enum { POWER_PACKAGES_MAX = 8 };	/* sockets */

struct power_source {
	int profile;			/* descriptor */
	struct pace pace;		/* some firmware takes milliseconds to say its profile */
	bool known;			/* the last profile, while the next reading is not due */
	char name[PROFILE_SIZE];

	unsigned packages;
	struct power_package {
		int count;		/* descriptor: thermal_throttle/package_throttle_count */
		bool has_before;
		int64_t before;
	} package[POWER_PACKAGES_MAX];
};

/*
 * Profile: of the first that says one, in the order ACPI platform, platform class, energy
 * preference of policy 0.
 */
void power_open(struct power_source *power, int root);

/*
 * Sets power_profile; appends "cpu thermal" to throttled where a package throttled since the last
 * reading.
 */
void power_read(struct power_source *power, struct sample *sample);

/*
 * The profile's name with a NUL, at most PROFILE_SIZE - 1 characters. False where nothing is left
 * after trimming or a byte is not printable ASCII.
 */
bool power_parse_profile(const void *bytes, size_t size, char name[PROFILE_SIZE]);

#endif
