/* SPDX-License-Identifier: MIT */
#include "emit/face.h"

#include "emit/format.h"
#include "emit/i3bar.h"
#include "emit/json.h"
#include "emit/openmetrics.h"
#include "emit/panel.h"
#include "emit/template.h"
#include "emit/term.h"
#include "emit/textface.h"
#include "emit/waybar.h"
#include "emit/words.h"

static void write_json(struct text *out, const struct sample *s, const struct options *o)
{
	(void)o;
	json_write(out, s);
}

static const struct face json_face = {
	.name = "json",
	.summary = "everything, one object per line (docs/sample.schema.json)",
	.write = write_json,
};

static const struct face *const faces[] = {
	&waybar_face, &i3bar_face, &json_face, &term_face, &text_face, &openmetrics_face,
};

enum { FACES = sizeof faces / sizeof faces[0] };

_Static_assert((int)WAYBAR_SIZE_MAX <= (int)FACE_SIZE_MAX, "waybar");
_Static_assert((int)I3BAR_SIZE_MAX <= (int)FACE_SIZE_MAX, "i3bar");
_Static_assert((int)OPENMETRICS_SIZE_MAX <= (int)FACE_SIZE_MAX, "openmetrics");
_Static_assert((int)JSON_SIZE_MAX <= (int)FACE_SIZE_MAX, "json");
_Static_assert((int)PANEL_SIZE_MAX + 16 <= (int)FACE_SIZE_MAX, "term");
_Static_assert((int)TEMPLATE_SIZE_MAX < (int)FACE_SIZE_MAX, "text");

const struct face *face_find(const char *name)
{
	for (unsigned i = 0; i < FACES; i++) {
		if (words_equal(faces[i]->name, name))
			return faces[i];
	}
	return NULL;
}

const struct face *face_default(bool terminal)
{
	return terminal ? &term_face : &waybar_face;
}

void face_names(struct text *out)
{
	for (unsigned i = 0; i < FACES; i++) {
		if (i)
			text_char(out, ' ');
		text_string(out, faces[i]->name);
	}
}

void face_list(struct text *out)
{
	for (unsigned i = 0; i < FACES; i++) {
		text_string(out, "  ");
		text_string(out, faces[i]->name);
		format_gap(out, (unsigned)word_length(faces[i]->name) + 2, 22);
		text_string(out, faces[i]->summary);
		text_char(out, '\n');
	}
}
