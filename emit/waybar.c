/* SPDX-License-Identifier: MIT */
#include "emit/waybar.h"

#include "emit/levels.h"
#include "emit/panel.h"
#include "emit/safe.h"
#include "emit/template.h"

static void put_class(struct text *out, const struct sample *s, const struct levels *levels)
{
	text_string(out, ",\"class\":[");
	json_string(out, level_names[levels->state]);
	for (unsigned i = 0; i < METRICS; i++) {
		if (levels->of[i].level == LEVEL_OK)
			continue;
		text_string(out, ",\"");
		text_string(out, metric_names[i]);
		text_char(out, '-');
		text_string(out, level_names[levels->of[i].level]);
		text_char(out, '"');
	}
	if (s->blocked_count)
		text_string(out, ",\"blocked\"");
	if (s->throttled_count)
		text_string(out, ",\"throttled\"");
	if (s->without_slot)
		text_string(out, ",\"dropped\"");
	text_char(out, ']');
}

static void put_percentage(struct text *out, const struct level_of *r)
{
	uint32_t percent = (r->percent_milli + 500) / 1000;

	if (!r->known)
		return;
	text_string(out, ",\"percentage\":");
	text_unsigned(out, percent < 100 ? percent : 100);
}

static void waybar_write(struct text *out, const struct sample *s, const struct options *o)
{
	enum safe_for use = o->markup ? SAFE_PANGO_JSON : SAFE_JSON;
	struct levels levels = levels_judge(s, o);

	text_string(out, "{\"text\":\"");
	template_write(out, o->text, s, use);
	text_string(out, "\",\"alt\":\"");
	if (o->alt)
		template_write(out, o->alt, s, use);
	else
		text_string(out, level_names[levels.state]);
	text_string(out, "\",\"tooltip\":\"");
	panel_write(out, s, o->markup ? PANEL_MARKUP_JSON : PANEL_JSON, o->list);
	text_char(out, '"');
	put_class(out, s, &levels);
	put_percentage(out, &levels.of[o->class_on_set ? o->class_on : METRIC_CPU]);
	text_string(out, "}\n");
}

const struct face waybar_face = {
	.name = "waybar",
	.summary = "a Waybar custom module, return-type json",
	.write = waybar_write,
};

_Static_assert(2 * (int)TEMPLATE_SIZE_MAX + (int)PANEL_SIZE_MAX + 512 <= (int)WAYBAR_SIZE_MAX,
	       "what waybar_write() puts together");
