/* SPDX-License-Identifier: MIT */
/*
 * The panel: all of a sample as a few aligned lines, for a tooltip or a terminal. Columns stay
 * where they are from sample to sample, and what is shown is coarse enough that an idle machine's
 * panel does not change: bars rebuild a tooltip whenever its text does.
 */
#ifndef RSTAT_EMIT_PANEL_H
#define RSTAT_EMIT_PANEL_H

#include "collect/sample.h"
#include "emit/options.h"
#include "loader/text.h"

enum panel_style {
	PANEL_PLAIN,
	PANEL_JSON,		/* inside a JSON string, not markup */
	PANEL_MARKUP_JSON,	/* inside a JSON string, Pango markup */
};

enum { PANEL_SIZE_MAX = 14336, PANEL_COLUMNS = 64 };

/*
 * With all top lists, or with one of them.
 * Lines with line feeds between them (for JSON: \n), none after the last. At most PANEL_SIZE_MAX
 * bytes in any style; no line is wider than PANEL_COLUMNS, but for blocked tasks and what
 * throttles.
 */
void panel_write(struct text *out, const struct sample *s, enum panel_style style, enum list list);

#endif
