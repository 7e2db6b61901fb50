/* SPDX-License-Identifier: MIT */
/*
 * i3bar's clicks. Each line is given to jansson, too: what it takes for an event of ours must be one to us, and what we
 * take for one must be JSON to it, but for what we leave out: nothing deep, long or escaped.
 */
#include "test/fuzz/judge.h"

#include <ctype.h>

#include "emit/click.h"

/* A button that has digits only and one name at most, by jansson: 0 none, -1 not for it to say. */
static int64_t expected(const char *line, size_t size)
{
	json_error_t error;
	json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error), *button, *name;
	int64_t result = 0;

	if (!json)
		return -1;
	if (memchr(line, 0, size)) {	/* jansson takes NUL behind a number */
		json_decref(json);
		return -1;
	}
	if (json_is_object(json)) {
		button = json_object_get(json, "button");
		name = json_object_get(json, "name");
		if (!json_is_integer(button) || json_integer_value(button) < 0 || json_integer_value(button) > UINT32_MAX)
			result = -1;
		else if (!name || (json_is_string(name) && !strcmp(json_string_value(name), "rstat")))
			result = json_integer_value(button);
		else
			result = json_is_string(name) ? 0 : -1;
	}
	json_decref(json);
	return result;
}

static unsigned depth_of(const char *line, size_t size)
{
	unsigned depth = 0, most = 0;

	for (size_t i = 0; i < size; i++) {
		if (strchr("{[", line[i]) && line[i])
			depth++;
		else if (strchr("}]", line[i]) && line[i] && depth)
			depth--;
		most = depth > most ? depth : most;
	}
	return most;
}

static void check_line(const char *line, size_t size)
{
	struct click click = { 0 };
	uint32_t got = 0;
	size_t begin = 0, end = size, events = 0;
	int64_t want;

	for (size_t i = 0; i < size; i++) {
		uint32_t button = click_read(&click, (unsigned char)line[i], "rstat");

		MUST(click.depth <= CLICK_DEPTH_MAX && click.length <= CLICK_WORD_MAX + 1 && click.size <= CLICK_SIZE_MAX);
		if (button) {
			got = button;
			events++;
			MUST(line[i] == '}');
			end = i + 1;
		}
	}
	/* what stands between events in the endless array */
	while (begin < size && line[begin] && strchr("[], \t\r", line[begin]))
		begin++;
	want = expected(line + begin, size - begin);
	if (events == 1 && want < 0 && line[begin] == '{' && !memchr(line, '\\', size) && g_utf8_validate_len(line, size, NULL)) {
		/* an event that is JSON by itself; what follows it need not be */
		json_error_t error;
		json_t *json = json_loadb(line + begin, end - begin, JSON_DECODE_ANY, &error);

		/* a number beyond jansson's own limits, or NUL in a string, is no matter of grammar */
		MUST(json || error.line > 1 || strstr(error.text, "big") || strstr(error.text, "overflow") ||
		     strstr(error.text, "real number") || strstr(error.text, "premature") || strstr(error.text, "garbage") ||
		     memchr(line + begin, '}', end - begin - 1));
		json_decref(json);
	}
	if (want >= 0 && depth_of(line, size) < CLICK_DEPTH_MAX && size < CLICK_SIZE_MAX && !memchr(line, '\\', size))
		MUST(got == (uint64_t)want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct click whole = { 0 };

	for (size_t from = 0; from < size;) {
		const uint8_t *end = memchr(data + from, '\n', size - from);
		size_t length = end ? (size_t)(end - data) - from : size - from;

		check_line((const char *)data + from, length);
		from += length + 1;
	}
	for (size_t i = 0; i < size; i++)
		click_read(&whole, data[i], "rstat");
	return 0;
}
