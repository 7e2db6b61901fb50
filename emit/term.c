/* SPDX-License-Identifier: MIT */
#include "emit/term.h"

#include "emit/panel.h"

/* ECMA-48: CUP, cursor to the top left; ED, erase to the end of the screen. */
static const char home[] = "\x1b[H", erase_below[] = "\x1b[J";

static void term_write(struct text *out, const struct sample *s, const struct options *o)
{
	if (o->terminal) {
		text_string(out, home);
		panel_write(out, s, PANEL_TERMINAL);
		text_char(out, '\n');
		text_string(out, erase_below);
	} else {
		panel_write(out, s, PANEL_PLAIN);
		text_string(out, "\n\n");
	}
}

const struct face term_face = {
	.name = "term",
	.summary = "the whole panel, for a terminal",
	.write = term_write,
};
