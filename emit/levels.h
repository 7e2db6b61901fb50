/* SPDX-License-Identifier: MIT */
/* How bad it is: the one place that holds each metric against its limits, for all faces. */
#ifndef RSTAT_EMIT_LEVELS_H
#define RSTAT_EMIT_LEVELS_H

#include "collect/sample.h"
#include "emit/options.h"

enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_CRITICAL, LEVELS };

extern const char *const level_names[LEVELS];	/* ok, warning, critical */

struct levels {
	enum level state;		/* that of the metric which --class-on names */
	struct level_of {
		bool known;		/* else the rest is 0 */
		enum level level;
		uint32_t percent_milli;	/* at most 100,000, which is full; of load: one per CPU */
	} of[METRICS];
	enum pressure_kind waits_for;	/* whose pressure is the worst */
};

struct levels levels_judge(const struct sample *s, const struct options *o);

#endif
