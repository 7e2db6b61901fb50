/* SPDX-License-Identifier: MIT */
/*
 * A live view on a terminal (screen.h, guard.h); else, and for --once, panels as plain text with an empty line between.
 */
#ifndef RSTAT_EMIT_TERM_H
#define RSTAT_EMIT_TERM_H

#include "emit/face.h"

extern const struct face term_face;

/* What a live view has of its own: as many rows as there is room for, of whatever does anything. */
void term_set(struct options *o);

#endif
