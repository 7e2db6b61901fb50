/* SPDX-License-Identifier: MIT */
/*
 * Memory that many tasks needed for a while goes back once they have ended: slots a piece at a time, with what was seen of
 * them, and long runs of free processes. What stays of a slot is the generation that was read last, so that no end counts twice.
 */
#ifndef RSTAT_COLLECT_SHRINK_H
#define RSTAT_COLLECT_SHRINK_H

#include "collect/tasks.h"

/* After an interval in which all slots were read. */
void tasks_shrink(struct tasks *tasks, const struct tasks_view *view);

#endif
