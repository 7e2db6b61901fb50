/* SPDX-License-Identifier: MIT */
/*
 * Pressure stall information: the share of time in which tasks waited for a resource;
 * /proc/pressure.
 */
#ifndef RSTAT_COLLECT_PRESSURE_H
#define RSTAT_COLLECT_PRESSURE_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/sample.h"

struct pressure_source {
	int file[PRESSURE_KINDS];	/* descriptors */
};

void pressure_open(struct pressure_source *source, int root);

/* Sets pressure[]; what this kernel does not measure (CONFIG_PSI, psi=0) is not known there. */
void pressure_read(struct pressure_source *source, struct sample *sample);

/* One file. False without a "some" line; the "full" line may be missing. */
bool pressure_parse(const void *bytes, size_t size, struct pressure *pressure);

#endif
