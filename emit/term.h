/* SPDX-License-Identifier: MIT */
/*
 * The panel on a terminal, drawn over the one before; where stdout is none, panels as plain text
 * with an empty line between.
 */
#ifndef RSTAT_EMIT_TERM_H
#define RSTAT_EMIT_TERM_H

#include "emit/face.h"

extern const struct face term_face;

#endif
