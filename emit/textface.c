/* SPDX-License-Identifier: MIT */
#include "emit/textface.h"

#include "emit/template.h"

static void text_write(struct text *out, const struct sample *s, const struct options *o)
{
	template_write(out, o->text, s, SAFE_TAGS);
	text_char(out, '\n');
}

const struct face text_face = {
	.name = "text",
	.summary = "the --text template, a line each",
	.write = text_write,
};
