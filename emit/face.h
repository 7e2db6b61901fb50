/* SPDX-License-Identifier: MIT */
/* The faces: ways to print a sample. One file each; they share this signature. */
#ifndef RSTAT_EMIT_FACE_H
#define RSTAT_EMIT_FACE_H

#include "collect/sample.h"
#include "emit/options.h"
#include "loader/text.h"

struct face {
	const char *name;
	const char *summary;

	/*
	 * Appends one sample, at most FACE_SIZE_MAX bytes, a line feed last. If the text is cut all the same,
	 * the line must not be printed: half an object is none.
	 */
	void (*write)(struct text *out, const struct sample *s, const struct options *o);
};

enum { FACE_SIZE_MAX = 32768 };

const struct face *face_find(const char *name);		/* NULL: no such face */
const struct face *face_default(bool terminal);		/* what `auto` means */
void face_names(struct text *out);			/* their names, a space between */
void face_list(struct text *out);			/* a line each, for --list */

#endif
