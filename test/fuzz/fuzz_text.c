/* SPDX-License-Identifier: MIT */
/* Templates: what is refused is said in one line; what is taken gives safe text, and no tag of a bar that is not the user's. */
#include "test/fuzz/judge.h"
#include "test/fuzz/sample.h"

#include "emit/textface.h"

static void check_refusal(const char *template)
{
	char data[OPTIONS_TEXT_SIZE_MAX];
	struct text error = text_over(data, sizeof data);

	MUST(template_check(template, &error) == !error.used);
	MUST(!error.cut);
	judge_plain(data, error.used, "");
}

/* Bytes of the template that are not names of placeholders. */
static bool has_own(const char *template, const char *bytes)
{
	return strpbrk(template, bytes) != NULL;
}

static void check_use(const struct sample *s, const char *template, enum safe_for use)
{
	struct text t = text_over(malloc(TEMPLATE_SIZE_MAX), TEMPLATE_SIZE_MAX);

	MUST(t.data);
	template_write(&t, template, s, use);
	MUST(!t.cut);
	judge_plain(t.data, t.used, use & (SAFE_JSON | SAFE_LINE) ? "" : "\n\t");
	if (use & SAFE_JSON) {
		char *quoted = NULL;
		int length = asprintf(&quoted, "[\"%.*s\"]", (int)t.used, t.data);

		json_decref(judge_json(quoted, (size_t)length));
		free(quoted);
	}
	if (use & SAFE_TAGS && !has_own(template, "%#"))
		MUST(!memmem(t.data, t.used, "%{", 2) && !memmem(t.data, t.used, "#[", 2) && !memmem(t.data, t.used, "#(", 2));
	CHECK_CUT(&t, t.used / 2, template_write(cut, template, s, use));
	free(t.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum safe_for uses[] = { SAFE_PLAIN, SAFE_JSON, SAFE_PANGO_JSON, SAFE_JSON_LINE, SAFE_TAGS };
	char template[TEMPLATE_LENGTH_MAX + 40];
	struct feed feed = feed_over(data, size);
	struct sample s;

	feed_string(&feed, template, sizeof template);
	feed_sample(&feed, &s);
	check_refusal(template);
	if (!is_template(template))
		return 0;
	for (unsigned i = 0; i < COUNT_OF(uses); i++)
		check_use(&s, template, uses[i]);
	if (!strstr(template, "\\n")) {
		struct options o = { .text = template };
		struct text t = write_face(&text_face, &s, &o, TEMPLATE_SIZE_MAX + 1);

		MUST(t.data[t.used - 1] == '\n');
		MUST(strchr(template, '\n') || !memchr(t.data, '\n', t.used - 1));
		free(t.data);
	}
	return 0;
}
