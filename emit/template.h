/* SPDX-License-Identifier: MIT */
/* The user's own line: text with {placeholders}; {{ and }} are braces, \\ a backslash, \n and \t as in C. */
#ifndef RSTAT_EMIT_TEMPLATE_H
#define RSTAT_EMIT_TEMPLATE_H

#include "collect/sample.h"
#include "emit/safe.h"
#include "loader/text.h"

enum {
	TEMPLATE_LENGTH_MAX = 512,	/* bytes of a template */
	TEMPLATE_SIZE_MAX = 8192,	/* bytes of what one becomes */
};

/*
 * Whether template_write() will take it. If not, one line in `error`, without a line feed: what is
 * wrong, and the placeholders there are.
 */
bool template_check(const char *template, struct text *error);

/*
 * Writes a valid template, without a line feed. Names are made safe for `use`; the template's own
 * text is escaped for JSON if asked, never for Pango: markup in it is the user's. A value that is
 * not known is an en dash.
 */
void template_write(struct text *out, const char *template, const struct sample *s,
		    enum safe_for use);

/* A line per placeholder, for --list. */
void template_list(struct text *out);

#endif
