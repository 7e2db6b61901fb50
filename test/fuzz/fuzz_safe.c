/* SPDX-License-Identifier: MIT */
/* Names and strings made safe for each place, each judged by whoever reads that place; UTF-8 against GLib. */
#include "test/fuzz/judge.h"

#include "emit/safe.h"
#include "emit/utf8.h"

/* Our reader takes for a character what GLib takes for one, and nothing else. */
static void check_utf8(const uint8_t *data, size_t size)
{
	uint32_t code;

	for (size_t i = 0; i < size;) {
		uint8_t *rest = exact_copy(data + i, size - i);
		size_t length = utf8_read(rest, size - i, &code);

		MUST(length && length <= 4 && length <= size - i);
		if (code != UTF8_REPLACEMENT || !memcmp(rest, "\xef\xbf\xbd", size - i < 3 ? size - i : 3)) {
			MUST(code == g_utf8_get_char_validated((const char *)rest, (gssize)length) || !code ||
			     (code == UTF8_REPLACEMENT && length < 3));
		} else {
			MUST(length <= 3 && !g_utf8_validate_len((const char *)rest, length, NULL));
		}
		MUST(utf8_columns(code) <= 2);
		free(rest);
		i += length;
	}
}

static json_t *in_json(const struct text *t)
{
	char *quoted = NULL;
	int length = asprintf(&quoted, "[\"%.*s\"]", (int)t->used, t->data);
	json_t *json = judge_json(quoted, (size_t)length);

	free(quoted);
	return json;
}

/* \ and " and line feed may stand behind a \ only. */
static void check_label(const struct text *t)
{
	for (size_t i = 0; i < t->used; i++) {
		MUST(t->data[i] != '"' && t->data[i] != '\n');
		if (t->data[i] == '\\')
			MUST(++i < t->used && (t->data[i] == '\\' || t->data[i] == '"'));
	}
}

static void check_markup(const char *string)
{
	char *shown = judge_pango(string);

	judge_plain(shown, strlen(shown), "\n");
	g_free(shown);
}

static void check(const struct text *t, enum safe_for use, bool name)
{
	char *string = strndup(t->data, t->used);
	json_t *json;

	judge_plain(t->data, t->used, name || use & (SAFE_LINE | SAFE_JSON) ? "" : "\n");
	if (use & SAFE_JSON) {
		json = in_json(t);
		if (use & SAFE_PANGO)
			check_markup(json_string_value(json_array_get(json, 0)));
		json_decref(json);
	} else if (use & SAFE_PANGO) {
		check_markup(string);
	}
	if (use & SAFE_LABEL)
		check_label(t);
	if (use & SAFE_TAGS && name)
		MUST(!strstr(string, "%{") && !strstr(string, "#[") && !strstr(string, "#(") && string[0] != '{' &&
		     string[0] != '[' && string[0] != '(');
	for (const char *at = string; use & SAFE_TAGS && name && (at = strpbrk(at, "<^")); at++)
		MUST(at[1] == ' ');
	free(string);
}

/* Nothing without width and nothing that changes direction is left of a name: Unicode's format characters, by GLib. */
static void check_marks(const struct text *t)
{
	for (const char *at = t->data; at < t->data + t->used; at = g_utf8_next_char(at)) {
		gunichar c = g_utf8_get_char(at);

		MUST(!(c >= 0x202a && c <= 0x202e) && !(c >= 0x2066 && c <= 0x2069) && c != 0x200e && c != 0x200f && c != 0x061c);
		MUST(g_unichar_type(c) != G_UNICODE_LINE_SEPARATOR && g_unichar_type(c) != G_UNICODE_PARAGRAPH_SEPARATOR);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum safe_for uses[] = { SAFE_PLAIN, SAFE_JSON, SAFE_PANGO, SAFE_PANGO_JSON, SAFE_LINE, SAFE_JSON_LINE,
					      SAFE_TAGS, SAFE_LABEL };
	size_t room = SAFE_GROWTH * size + 1;

	if (size > 256)
		return 0;
	check_utf8(data, size);
	for (unsigned i = 0; i < COUNT_OF(uses); i++) {
		struct text t = text_over(malloc(room), room), string = text_over(malloc(room), room);
		unsigned columns = safe_name(&t, data, size, uses[i]);

		MUST(!t.cut && t.used && t.used <= room);
		check(&t, uses[i], true);
		check_marks(&t);
		if (uses[i] == SAFE_PLAIN)
			MUST(columns == utf8_width(t.data, t.used));
		safe_string(&string, (const char *)data, size, uses[i] & ~SAFE_TAGS);
		MUST(!string.cut && string.used <= room);
		check(&string, uses[i], false);
		CHECK_CUT(&string, string.used / 2, safe_string(cut, (const char *)data, size, uses[i] & ~SAFE_TAGS));
		free(t.data);
		free(string.data);
	}
	return 0;
}
