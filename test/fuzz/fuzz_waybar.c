/* SPDX-License-Identifier: MIT */
/* The face waybar: JSON, its tooltip Pango markup, and so its text where the user's template has no markup of its own. */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include "emit/waybar.h"

static bool no_markup(const char *template)
{
	return !strpbrk(template, "<>&");
}

static void check_markup(const json_t *line, const char *key, const char *template)
{
	const char *string = json_string_value(member(line, key, JSON_STRING));
	const char *end;

	MUST(g_utf8_validate(string, -1, &end));
	if (template && no_markup(template))
		free(judge_pango(string));
}

/* The classes: the first is the state, each once. */
static void check_classes(const json_t *line)
{
	json_t *classes = member(line, "class", JSON_ARRAY), *one;
	size_t i;

	MUST(json_array_size(classes));
	json_array_foreach(classes, i, one) {
		const char *word = json_string_value(one);

		MUST(word && *word);
		if (!i)
			MUST(!strcmp(word, "ok") || !strcmp(word, "warning") || !strcmp(word, "critical"));
		for (size_t j = 0; j < i; j++)
			MUST(strcmp(word, json_string_value(json_array_get(classes, j))));
	}
}

/* By the load's own numbers, in doubles: a load of all CPUs or more is 100. */
static void check_percentage(const json_t *line, const struct sample *s, const struct options *o)
{
	const json_t *value = json_object_get(line, "percentage");
	double want;

	if (!value)
		return;
	MUST(json_is_integer(value) && json_integer_value(value) >= 0 && json_integer_value(value) <= 100);
	if (o->class_on_set && o->class_on == METRIC_LOAD)
		want = (double)s->load_milli[0] / 10 / s->cpus;
	else if (!o->class_on_set || o->class_on == METRIC_CPU)
		want = (double)s->cpu_ppm / 10000;
	else
		return;
	if (want > 100)
		want = 100;
	MUST(want - (double)json_integer_value(value) < 0.6 && (double)json_integer_value(value) - want < 0.6);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	struct options o;
	struct drawn drawn;
	struct sample s;
	struct text t;
	json_t *line;

	feed_options(&feed, &o, &drawn);
	feed_sample(&feed, &s);
	t = write_face(&waybar_face, &s, &o, WAYBAR_SIZE_MAX);
	MUST(t.data[t.used - 1] == '\n' && !memchr(t.data, '\n', t.used - 1));
	/* Waybar up to 0.15 rewrites \x in a line */
	MUST(!memmem(t.data, t.used, "\\x", 2));
	keep_output("waybar", &t);
	line = judge_json(t.data, t.used - 1);
	if (o.markup) {
		check_markup(line, "tooltip", "");
		check_markup(line, "text", o.text);
		check_markup(line, "alt", o.alt);
	}
	check_classes(line);
	check_percentage(line, &s, &o);
	json_decref(line);
	CHECK_CUT(&t, size % (t.used + 2), waybar_face.write(cut, &s, &o));
	free(t.data);
	return 0;
}
