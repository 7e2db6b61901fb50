/* SPDX-License-Identifier: MIT */
/* The face json: one object that jansson takes, with numbers that a double holds, and as many rows as the sample has. */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include "emit/json.h"

static void check_numbers(json_t *value)
{
	const json_int_t most = (INT64_C(1) << 53) - 1;
	const char *key;
	json_t *inner;
	size_t i;

	if (json_is_integer(value))
		MUST(json_integer_value(value) <= most && json_integer_value(value) >= -most);
	json_array_foreach(value, i, inner)
		check_numbers(inner);
	json_object_foreach(value, key, inner) {
		if (strstr(key, "ratio"))
			MUST(json_number_value(inner) >= 0 && json_number_value(inner) <= 1);
		if (strstr(key, "_bytes") || strstr(key, "_hz") || strstr(key, "pid"))
			MUST(json_is_integer(inner) && json_integer_value(inner) >= 0);
		if (!strcmp(key, "name") || !strcmp(key, "power_profile"))
			MUST(json_is_string(inner) && *json_string_value(inner));
		check_numbers(inner);
	}
}

static void check_list(const json_t *line, const char *key, uint32_t count)
{
	MUST(json_array_size(member(line, key, JSON_ARRAY)) == count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct feed feed = feed_over(data, size);
	struct options o = { 0 };
	struct sample s;
	struct text t;
	json_t *line;

	feed_sample(&feed, &s);
	t = write_face(face_find("json"), &s, &o, JSON_SIZE_MAX);
	MUST(t.data[t.used - 1] == '\n' && !memchr(t.data, '\n', t.used - 1));
	judge_plain(t.data, t.used - 1, "");
	keep_output("json", &t);
	line = judge_json(t.data, t.used - 1);
	check_numbers(line);
	check_list(line, "top_memory", s.top_memory.count);
	check_list(line, "blocked", s.blocked_listed);
	if (s.known & KNOWS_RATES) {
		check_list(line, "top_cpu", s.top_cpu.count);
		check_list(line, "top_io", s.top_io.count);
	}
	MUST(json_array_size(json_object_get(line, "gpus")) == s.gpu_count);
	MUST(json_array_size(json_object_get(line, "batteries")) == s.battery_count);
	json_decref(line);
	CHECK_CUT(&t, size % (t.used + 2), json_write(cut, &s));
	free(t.data);
	return 0;
}
