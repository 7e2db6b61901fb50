/* SPDX-License-Identifier: MIT */
/* What is given up before the first sample is shown: all but what this source of tasks and this face need. */
#ifndef RSTAT_EMIT_SEAL_H
#define RSTAT_EMIT_SEAL_H

#include "emit/monitor.h"
#include "emit/replace.h"
#include "loader/sandbox.h"

/* For good: afterwards devices below /sys can be looked for, and that one file be replaced (NULL: none). 0, or -errno with the failure saying what. */
int seal(struct monitor *monitor, const struct options *options, const struct replace *file, struct sandbox_report *report,
	 struct failure *f);

/* The state it has led to, a line for each step, as --check prints it; names are padded to `width`. */
void seal_print(struct text *out, const struct sandbox_report *report, unsigned width);

#endif
