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

#include "collect/sample.h"

enum { POWER_PACKAGES_MAX = 8 };	/* sockets */

struct power_source {
	int profile;			/* descriptor */
	bool known;			/* the last reading gave a profile */
	char name[PROFILE_SIZE];
	bool throttled;			/* a package has, between the last two readings */

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

/* Sets known, name and throttled. */
void power_read(struct power_source *power);

/*
 * The profile's name with a NUL, at most PROFILE_SIZE - 1 characters. False where nothing is left
 * after trimming or a byte is not printable ASCII.
 */
bool power_parse_profile(const void *bytes, size_t size, char name[PROFILE_SIZE]);

#endif
