/* SPDX-License-Identifier: MIT */
/* The face i3bar: with its head and its end one JSON text, each line of it an array of blocks. */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include "emit/i3bar.h"

static void check_block(const json_t *block)
{
	const char *text = json_string_value(member(block, "full_text", JSON_STRING));

	/* a block is one line */
	judge_plain(text, strlen(text), "");
	MUST(!strcmp(json_string_value(member(block, "name", JSON_STRING)), "rstat"));
	MUST(!strcmp(json_string_value(member(block, "markup", JSON_STRING)), "none"));
	member(block, "instance", JSON_STRING);
	MUST(json_is_boolean(json_object_get(block, "urgent")));
	if (json_object_get(block, "short_text")) {
		text = json_string_value(member(block, "short_text", JSON_STRING));
		judge_plain(text, strlen(text), "");
	}
}

static void check_whole(const struct options *o, const struct text *line)
{
	char data[I3BAR_SIZE_MAX + 512], *array;
	struct text all = text_over(data, sizeof data);
	json_t *json;

	i3bar_face.begin(&all, o);
	text_bytes(&all, line->data, line->used);
	text_bytes(&all, line->data, line->used < 300 ? line->used : 0);
	i3bar_face.end(&all, o);
	MUST(!all.cut);
	array = memchr(data, '\n', all.used);
	MUST(array);
	json_decref(judge_json(data, (size_t)(array - data)));
	json = judge_json(array, all.used - (size_t)(array - data));
	MUST(json_is_array(json) && json_array_size(json) >= 2);
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	struct options o;
	struct drawn drawn;
	struct sample s;
	struct text t;
	json_t *line, *block;
	size_t i;

	feed_options(&feed, &o, &drawn);
	feed_sample(&feed, &s);
	t = write_face(&i3bar_face, &s, &o, I3BAR_SIZE_MAX);
	MUST(t.data[0] == ',' && t.data[t.used - 1] == '\n' && !memchr(t.data, '\n', t.used - 1));
	keep_output("i3bar", &t);
	line = judge_json(t.data + 1, t.used - 2);
	MUST(json_is_array(line) && json_array_size(line));
	json_array_foreach(line, i, block)
		check_block(block);
	json_decref(line);
	check_whole(&o, &t);
	CHECK_CUT(&t, size % (t.used + 2), i3bar_face.write(cut, &s, &o));
	free(t.data);
	return 0;
}
