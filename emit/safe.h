/* SPDX-License-Identifier: MIT */
/*
 * Text that others chose (process names, firmware strings), made safe for where it goes. Any
 * process can call itself anything with prctl(PR_SET_NAME): quotes that end a JSON string, markup
 * that takes the bar down, escape sequences for the terminal, marks that turn the line around.
 */
#ifndef RSTAT_EMIT_SAFE_H
#define RSTAT_EMIT_SAFE_H

#include <stddef.h>

#include "loader/text.h"

/* Where the text goes; independent bits. */
enum safe_for {
	SAFE_PLAIN = 0,
	SAFE_JSON = 1,		/* inside a JSON string */
	SAFE_PANGO = 2,		/* inside Pango markup */
	SAFE_LINE = 4,		/* in one line: of a user's string, a space for each line feed */
	SAFE_PANGO_JSON = SAFE_JSON | SAFE_PANGO,
	SAFE_TAGS = 16,		/* a line of a bar that has tags: polybar's %{...}, tmux's #[...], xmobar's <...>, dzen2's ^...(...) */
	SAFE_JSON_LINE = SAFE_JSON | SAFE_LINE,
	SAFE_LABEL = 8,		/* the value of a label in the text format of Prometheus */
};

/* No input byte becomes more than this many ("\u005c", "&quot;"). */
enum { SAFE_GROWTH = 6 };

/*
 * Writes a name of at most `size` raw bytes that ends at a NUL, if there is one; returns its width
 * in columns.
 *
 *   \xHH		as systemd escapes unit names: the character, where that is printable ASCII
 *   control characters, line separators, what is invisible or changes direction: dropped
 *   bytes that are no UTF-8: one U+FFFD per maximal subpart, also for a character cut at the end
 *   & < > " '		entities, for SAFE_PANGO
 *   "			\" for SAFE_JSON
 *   \			\u005c for SAFE_JSON, not \\: Waybar up to 0.15 rewrites every \x in a line
 *   \ and "		\\ and \" for SAFE_LABEL
 *   { [ (		a space before it for SAFE_TAGS, at the beginning and after % or #: no tag
 *   < ^		a space behind it for SAFE_TAGS
 *   nothing left, or blanks only: ?
 *
 * At most SAFE_GROWTH * size bytes.
 */
unsigned safe_name(struct text *out, const void *bytes, size_t size, enum safe_for use);

/*
 * Writes a string that the user or the source chose: only what would break the output is changed
 * (bytes that are no UTF-8, control characters, and what `use` asks for). A line feed is kept where
 * it can be: as \n for SAFE_JSON. At most SAFE_GROWTH times its length.
 */
void safe_string(struct text *out, const char *string, size_t length, enum safe_for use);

/* A NUL-terminated string as a JSON string, with its quotes. */
void json_string(struct text *out, const char *string);

#endif
