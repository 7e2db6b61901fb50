/* SPDX-License-Identifier: MIT */
/*
 * The face openmetrics: a grammar of its own here (OpenMetrics 1.0, and the text format of Prometheus for a file), since
 * the parsers that others have written are not in C; test/fuzz/judges.t has those read what the corpus gives.
 */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include "emit/openmetrics.h"

enum { FAMILIES_MAX = 96, SERIES_MAX = 256 };

struct page {
	const char *family[FAMILIES_MAX], *series[SERIES_MAX];
	unsigned families, serieses;
	bool counter;
};

static const char *skip_name(const char *at)
{
	MUST(g_ascii_isalpha(*at) || *at == '_');
	while (g_ascii_isalnum(*at) || *at == '_')
		at++;
	return at;
}

static void add_once(const char **list, unsigned *count, unsigned most, const char *name, size_t length)
{
	char *copy = strndup(name, length);

	for (unsigned i = 0; i < *count; i++)
		MUST(strcmp(list[i], copy));
	MUST(*count < most);
	list[(*count)++] = copy;
}

/* # HELP NAME TEXT, then # TYPE NAME TYPE of the same name. */
static void check_family(struct page *page, char *help, char *type)
{
	const char *name = help + strlen("# HELP "), *end = skip_name(name);
	size_t length = (size_t)(end - name);

	MUST(*end == ' ' && end[1]);
	MUST(type && !strncmp(type, "# TYPE ", 7) && !strncmp(type + 7, name, length) && type[7 + length] == ' ');
	type += 8 + length;
	MUST(!strcmp(type, "gauge") || !strcmp(type, "counter"));
	page->counter = !strcmp(type, "counter");
	add_once(page->family, &page->families, FAMILIES_MAX, name, length);
}

/* key="value" with \\ \" \n and nothing else escaped. */
static const char *skip_labels(const char *at)
{
	const char *before = at++;

	while (*before != '}') {
		at = skip_name(at);
		MUST(at[0] == '=' && at[1] == '"');
		for (at += 2; *at != '"'; at++) {
			MUST(*at && *at != '\n');
			if (*at == '\\')
				MUST(*++at == '\\' || *at == '"' || *at == 'n');
		}
		before = ++at;
		MUST(*at == '}' || *at == ',');
		at++;
	}
	return at;
}

static void check_series(struct page *page, char *line)
{
	const char *end = skip_name(line), *family = page->families ? page->family[page->families - 1] : "";
	size_t length = (size_t)(end - line), own = strlen(family);
	char *rest;

	/* of the family before it: OpenMetrics wants a counter's series, and only those, to end in _total */
	MUST(!strncmp(line, family, own) && (length == own || !strncmp(line + own, "_total", length - own)));
	if (length > own)
		MUST(page->counter);
	if (page->counter)
		MUST(length > 6 && !strncmp(end - 6, "_total", 6));
	if (*end == '{')
		end = skip_labels(end);
	MUST(*end == ' ');
	add_once(page->series, &page->serieses, SERIES_MAX, line, (size_t)(end - line));
	MUST(end[1] == '-' || g_ascii_isdigit(end[1]));
	for (const char *digit = end + 1 + (end[1] == '-'); *digit; digit++)
		MUST(g_ascii_isdigit(*digit) || *digit == '.');
	strtod(end + 1, &rest);
	MUST(!*rest && page->families);
}

static void check_page(char *text, bool file)
{
	struct page page = { .families = 0 };
	char *rest = text, *line;
	bool ended = false;

	while ((line = strsep(&rest, "\n")) && rest) {
		MUST(!ended);
		if (!strncmp(line, "# HELP ", 7))
			check_family(&page, line, strsep(&rest, "\n"));
		else if (!strcmp(line, "# EOF"))
			ended = true;
		else
			check_series(&page, line);
	}
	MUST(!*line && ended == !file);
	while (page.families)
		free((char *)(uintptr_t)page.family[--page.families]);
	while (page.serieses)
		free((char *)(uintptr_t)page.series[--page.serieses]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	struct options o = { 0 };
	uint8_t bits = feed_byte(&feed);
	struct sample s;
	struct text t;
	char *copy;

	o.names = bits & 1;
	o.file_path = bits & 2 ? "x.prom" : NULL;
	feed_sample(&feed, &s);
	t = write_face(&openmetrics_face, &s, &o, OPENMETRICS_SIZE_MAX);
	judge_plain(t.data, t.used, "\n");
	keep_output(o.file_path ? "prom" : "openmetrics", &t);
	copy = strndup(t.data, t.used);
	check_page(copy, o.file_path);
	free(copy);
	CHECK_CUT(&t, size % (t.used + 2), openmetrics_face.write(cut, &s, &o));
	free(t.data);
	return 0;
}
