/* SPDX-License-Identifier: MIT */
/* The actions that print a report instead of samples. Each returns the exit code, 1 with a failure. */
#ifndef RSTAT_EMIT_REPORTS_H
#define RSTAT_EMIT_REPORTS_H

#include "emit/monitor.h"

/* --bench N: the cost of N samples 1 ms apart, and by step of N others between them. */
int bench_run(struct monitor *monitor, const struct options *options, struct failure *f);

/* --profile SEC: what the probe costs per switch, net of an empty program, from the kernel's own statistics. */
int profile_run(struct monitor *monitor, const struct options *options, struct failure *f);

/*
 * --check: what this machine offers, what was tried and what was chosen, a line each. Opens the monitor by itself,
 * and shows the verifier's last words where it refused the probe. 0 if a sample works.
 */
int check_run(struct monitor *monitor, const struct options *options, struct probe_request *request,
	      struct failure *f);

/* The part of it that lists the sensors: it opens files, so it comes before seal(). */
void check_sensors(struct text *out, struct monitor *monitor, const struct options *options);

#endif
