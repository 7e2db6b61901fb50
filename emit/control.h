/* SPDX-License-Identifier: MIT */
/* What can be changed while it runs, by signals, clicks and keys alike: each changes *o, and nothing else. */
#ifndef RSTAT_EMIT_CONTROL_H
#define RSTAT_EMIT_CONTROL_H

#include "emit/options.h"

void control_next_interval(struct options *o);	/* 1000, 500, 250, 100, 2000 ms, and again */
void control_faster(struct options *o);		/* the next shorter of these, if there is one */
void control_slower(struct options *o);		/* the next longer */
void control_kernel_threads(struct options *o);	/* on, off */
void control_next_list(struct options *o);	/* all, CPU, memory, IO, and again */

/* Rows that a top list needs: one that is shown alone has three times as many, so that all take as much room. */
uint32_t control_rows(const struct options *o);

#endif
