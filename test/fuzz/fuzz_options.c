/* SPDX-License-Identifier: MIT */
/* The command line, split at NUL: taken, with every value in its range, or refused in one line. */
#include "test/fuzz/judge.h"

#include "emit/face.h"
#include "emit/openmetrics.h"
#include "emit/options.h"
#include "emit/template.h"

enum { WORDS_MAX = 24 };

static bool is_template(const char *string)
{
	struct text ignored = text_over(NULL, 0);

	return template_check(string, &ignored);
}

static void check_values(const struct options *o)
{
	MUST(o->action <= ACTION_VERSION && o->attach <= ATTACH_PROC && o->class_on < METRICS && o->list == LIST_ALL);
	MUST(o->interval_ms >= 10 && o->interval_ms <= 60000 && o->top_rows <= TOP_MAX && o->min_cpu_ppm <= PPM);
	MUST(!o->max_tasks || (o->max_tasks >= 64 && o->max_tasks <= 4194304));
	MUST(o->bench_samples >= 1 && o->bench_samples <= 1000000 && o->profile_seconds >= 1 && o->profile_seconds <= 3600);
	MUST(!o->sensors.budget_ns || (o->sensors.budget_ns >= 10000 && o->sensors.budget_ns <= 1000000000));
	MUST(is_template(o->text) && (!o->alt || is_template(o->alt)));
	MUST(o->warning_milli <= 1000000000 && o->critical_milli <= 1000000000);
	if (o->action == ACTION_HELP || o->action == ACTION_VERSION)
		return;		/* what stands behind it is not looked at */
	if (o->warning_set && o->critical_set)
		MUST(o->warning_milli <= o->critical_milli);
	if (o->class_on != METRIC_LOAD)
		MUST((!o->warning_set || o->warning_milli <= 100000) && (!o->critical_set || o->critical_milli <= 100000));
	if (o->file_path || o->names)
		MUST(o->face == &openmetrics_face);
	if (o->file_path)
		MUST(strlen(o->file_path) > 5 && !strcmp(o->file_path + strlen(o->file_path) - 5, ".prom"));
	MUST(!o->probe_path || (*o->probe_path && o->attach != ATTACH_PROC));
}

static void check_texts(void)
{
	static char data[OPTIONS_TEXT_SIZE_MAX];
	struct text t = text_over(data, sizeof data);
	static bool done;

	if (done)
		return;
	done = true;
	options_help(&t);
	MUST(!t.cut);
	judge_plain(t.data, t.used, "\n");
	t.used = 0;
	options_list(&t);
	MUST(!t.cut);
	judge_plain(t.data, t.used, "\n");
	MUST(face_default(true) != face_default(false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char program[] = "rstat", message[OPTIONS_TEXT_SIZE_MAX], *argv[WORDS_MAX + 2] = { program };
	struct text error = text_over(message, sizeof message);
	struct options o;
	int argc = 1, code;

	check_texts();
	for (size_t from = 0; from < size && argc <= WORDS_MAX;) {
		size_t length = strnlen((const char *)data + from, size - from);
		char *word = malloc(length + 1);

		memcpy(word, data + from, length);
		word[length] = 0;
		argv[argc++] = word;
		from += length + 1;
	}
	memset(&o, 0xa5, sizeof o);
	code = options_parse(&o, argc, argv, &error);
	MUST(code == 0 || code == 2);
	MUST(!error.cut && (code == 2) == (error.used > 0));
	judge_plain(message, error.used, "");
	if (!code)
		check_values(&o);
	while (argc > 1)
		free(argv[--argc]);
	return 0;
}
