/* SPDX-License-Identifier: MIT */
/* The panel: its three styles say the same once JSON and markup are taken off, in lines as wide as they may be. */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include "emit/panel.h"
#include "emit/utf8.h"

static struct text write_style(const struct sample *s, enum panel_style style, enum list list)
{
	struct text t = text_over(malloc(PANEL_SIZE_MAX), PANEL_SIZE_MAX);

	MUST(t.data);
	panel_write(&t, s, style, list);
	MUST(!t.cut);
	return t;
}

/* The string inside JSON, to be freed. */
static char *unquoted(const struct text *t)
{
	char *quoted = NULL, *string;
	int length = asprintf(&quoted, "[\"%.*s\"]", (int)t->used, t->data);
	json_t *json;

	MUST(length > 0 && !memchr(t->data, '\n', t->used));
	json = judge_json(quoted, (size_t)length);
	string = strdup(json_string_value(json_array_get(json, 0)));
	json_decref(json);
	free(quoted);
	return string;
}

static bool starts(const char *line, const char *word)
{
	return !strncmp(line, word, strlen(word));
}

/* As many as anybody sees, and a name that the kernel has ended. */
static bool is_usual_list(const struct top_list *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (list->entry[i].ended > 9999 || !memchr(list->entry[i].name, 0, TASK_NAME_SIZE))
			return false;
	return true;
}

/* What a kernel says is short, and numbers of tasks are not astronomic; else a line may be wider. */
static bool is_usual(const struct sample *s)
{
	for (uint32_t i = 0; i < s->battery_count; i++)
		if (utf8_width(s->battery[i].status, strnlen(s->battery[i].status, DEVICE_NAME_SIZE)) > 13)
			return false;
	for (uint32_t i = 0; i < s->gpu_count; i++)
		if (s->gpu[i].power_microwatts > 9999000000 || s->gpu[i].frequency_hz > 99000000000)
			return false;
	if (!is_usual_list(&s->top_cpu) || !is_usual_list(&s->top_memory) || !is_usual_list(&s->top_io))
		return false;
	return s->dropped < 1000000 && s->lost < 1000000 && s->without_slot < 1000000 && s->frequency_fastest_hz < 99000000000 &&
	       s->temperature_millicelsius < 150000 && s->temperature_millicelsius > -20000 && s->load_milli[0] < 99999000 &&
	       s->load_milli[1] < 99999000 && s->load_milli[2] < 99999000 && s->cost_ns < 1000000000000;
}

static void check_lines(const struct sample *s, char *panel)
{
	char *rest = panel;

	for (char *line; (line = strsep(&rest, "\n"));) {
		if (starts(line, "Blocked") || starts(line, "Power") || starts(line, "no probe"))
			continue;
		if (utf8_width(line, strlen(line)) > PANEL_COLUMNS && is_usual(s))
			fprintf(stderr, "%u columns: %s\n", utf8_width(line, strlen(line)), line);
		MUST(utf8_width(line, strlen(line)) <= PANEL_COLUMNS || !is_usual(s));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	enum list list = (enum list)feed_upto(&feed, LISTS - 1);
	struct text plain, quoted, markup, term;
	struct options o = { .list = list };
	char *string, *shown;
	struct sample s;

	feed_sample(&feed, &s);
	plain = write_style(&s, PANEL_PLAIN, list);
	quoted = write_style(&s, PANEL_JSON, list);
	markup = write_style(&s, PANEL_MARKUP_JSON, list);
	judge_plain(plain.data, plain.used, "\n");
	string = unquoted(&quoted);
	MUST(strlen(string) == plain.used && !memcmp(string, plain.data, plain.used));
	check_lines(&s, string);
	free(string);
	string = unquoted(&markup);
	shown = judge_pango(string);
	if (strlen(shown) != plain.used || memcmp(shown, plain.data, plain.used))
		fprintf(stderr, "markup: %s\nplain: %.*s\n", shown, (int)plain.used, plain.data);
	MUST(strlen(shown) == plain.used && !memcmp(shown, plain.data, plain.used));
	term = write_face(face_find("term"), &s, &o, PANEL_SIZE_MAX + 2);
	MUST(term.used == plain.used + 2 && !memcmp(term.data, plain.data, plain.used));
	CHECK_CUT(&markup, size % (markup.used + 2), panel_write(cut, &s, PANEL_MARKUP_JSON, list));
	free(string);
	g_free(shown);
	free(term.data);
	free(plain.data);
	free(quoted.data);
	free(markup.data);
	return 0;
}
