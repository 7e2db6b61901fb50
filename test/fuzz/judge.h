/* SPDX-License-Identifier: MIT */
/* Judges that are not ours: jansson for JSON, GLib for UTF-8, Pango for its markup. */
#ifndef RSTAT_FUZZ_JUDGE_H
#define RSTAT_FUZZ_JUDGE_H

#include <glib.h>
#include <jansson.h>
#include <pango/pango.h>

/* emit/safe.h has one of that name: the Makefile renames it */
#define json_string rstat_json_string

#include "test/fuzz/fuzz.h"

/* One JSON value and nothing else; keys once each. The caller drops it. */
static inline json_t *judge_json(const char *data, size_t size)
{
	json_error_t error;
	json_t *json = json_loadb(data, size, JSON_REJECT_DUPLICATES, &error);

	if (!json)
		fprintf(stderr, "%s, at byte %d of:\n%.*s\n", error.text, error.position, (int)size, data);
	MUST(json);
	return json;
}

static inline void judge_utf8(const char *data, size_t size)
{
	MUST(g_utf8_validate_len(data, size, NULL));
}

/* No control character but those; of the C1 range neither. */
static inline void judge_plain(const char *data, size_t size, const char *allowed)
{
	judge_utf8(data, size);
	for (const char *at = data; at < data + size; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		MUST(c && (!g_unichar_iscntrl(c) || (c < 0x80 && strchr(allowed, (int)c))));
	}
}

/* What Pango shows of the markup, to be freed. */
static inline char *judge_pango(const char *markup)
{
	GError *error = NULL;
	char *shown = NULL;

	if (!pango_parse_markup(markup, -1, 0, NULL, &shown, NULL, &error)) {
		fprintf(stderr, "%s in:\n%s\n", error->message, markup);
		abort();
	}
	return shown;
}

/* A member that must be there, of that type. */
static inline json_t *member(const json_t *object, const char *key, json_type type)
{
	json_t *value = json_object_get(object, key);

	MUST(value && json_typeof(value) == type);
	return value;
}

#endif
