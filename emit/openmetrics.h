/* SPDX-License-Identifier: MIT */
/*
 * A sample for Prometheus. To stdout as OpenMetrics (openmetrics.io, 1.0), a block per sample that ends in "# EOF"; to a
 * file in the text format of Prometheus, for node_exporter's textfile collector. They differ in the name of a counter's
 * family, which in the latter ends in _total, and in the end.
 *
 * No label is a pid: each would be a series of its own for ever. With --names the top lists are there by name, summed.
 */
#ifndef RSTAT_EMIT_OPENMETRICS_H
#define RSTAT_EMIT_OPENMETRICS_H

#include "emit/face.h"

/* At most: some 60 families with one to four samples, and 4 x 20 names. */
enum { OPENMETRICS_SIZE_MAX = 32512 };

extern const struct face openmetrics_face;

#endif
