/* SPDX-License-Identifier: MIT */
/* The faces: ways to print a sample. One file each; they share this signature. */
#ifndef RSTAT_EMIT_FACE_H
#define RSTAT_EMIT_FACE_H

#include "collect/sample.h"
#include "emit/options.h"
#include "loader/text.h"

enum face_asks { FACE_NOTHING, FACE_AGAIN /* the last sample */, FACE_LINE /* one now */, FACE_QUIT };

struct face {
	const char *name;
	const char *summary;

	/*
	 * Appends one sample, at most FACE_SIZE_MAX bytes, a line feed last. If the text is cut all
	 * the same, the line must not be printed: half an object is none.
	 */
	void (*write)(struct text *out, const struct sample *s, const struct options *o);

	/* The rest may be NULL. */

	/* What stands before the first line, and after the last where the end leaves time for it. */
	void (*begin)(struct text *out, const struct options *o);
	void (*end)(struct text *out, const struct options *o);

	/*
	 * What came from stdin, which is read only for a face that has this: distrusted bytes, in pieces cut
	 * anywhere; size 0: no more will come. May change what is shown (interval_ms, kernel_threads and the like,
	 * in *o). Returns what it asks for.
	 */
	enum face_asks (*input)(struct options *o, const char *data, size_t size);
	bool input_live;	/* only while it is a live view: keys */
};

enum { FACE_SIZE_MAX = 32768 };

const struct face *face_find(const char *name);		/* NULL: no such face */
const struct face *face_default(bool terminal);		/* what `auto` means */
void face_names(struct text *out);			/* their names, a space between */
void face_list(struct text *out);			/* a line each, for --list */

#endif
