/* SPDX-License-Identifier: MIT */
/*
 * Waybar's custom module, return-type json: {"text", "alt", "tooltip", "class": [..],
 * "percentage"}, one object per line. The first class is the state (ok, warning, critical) of the
 * metric that --class-on names; the others are METRIC-warning and METRIC-critical for each of load,
 * cpu, mem and pressure, then blocked, throttled and dropped, while they hold.
 */
#ifndef RSTAT_EMIT_WAYBAR_H
#define RSTAT_EMIT_WAYBAR_H

#include "emit/face.h"

enum { WAYBAR_SIZE_MAX = 31744 };

extern const struct face waybar_face;

#endif
