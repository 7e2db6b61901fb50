/* SPDX-License-Identifier: MIT */
/* The live view: a sample on a window of any size, and the keys that change what is shown. */
#ifndef RSTAT_EMIT_SCREEN_H
#define RSTAT_EMIT_SCREEN_H

#include "collect/sample.h"
#include "emit/face.h"
#include "emit/options.h"
#include "loader/text.h"

/* Of a wider or higher window only so much is drawn on. */
enum { SCREEN_COLUMNS_MAX = 256, SCREEN_ROWS_MAX = 128 };

struct screen {
	uint16_t rows, columns;		/* of the window; 0: not known, 24 and 80 */
	bool colour;			/* escape sequences that change how characters look */
	bool paused, help;
	uint32_t scroll;		/* rows of the list that are passed over */
	uint8_t keys;			/* how far into an escape sequence the input is */
};

/*
 * Draws all of the window: no line feed, no character in a column that is not there. At most FACE_SIZE_MAX bytes. Takes
 * scroll back to where the list ends.
 */
void screen_write(struct text *out, const struct sample *s, const struct options *o, struct screen *screen);

/* What was typed, in pieces cut anywhere. */
enum face_asks screen_keys(struct screen *screen, struct options *o, const char *data, size_t size);

#endif
