/* SPDX-License-Identifier: MIT */
/*
 * i3bar's protocol, which swaybar speaks too: a header, then an endless array of arrays of blocks. Clicks come back:
 * left: the next interval, middle: kernel threads, right: the next top list, scrolled up or down: faster or slower.
 */
#ifndef RSTAT_EMIT_I3BAR_H
#define RSTAT_EMIT_I3BAR_H

#include "emit/face.h"

enum {
	I3BAR_TEXT_MAX = 1024,	/* bytes of a block's text as JSON; what is longer is cut between characters */
	I3BAR_SIZE_MAX = 6144,
};

extern const struct face i3bar_face;

#endif
