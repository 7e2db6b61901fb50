/* SPDX-License-Identifier: MIT */
/* What the tests of emit/ share: text against bytes, text against a golden file, every size of buffer. */
#ifndef RSTAT_TEST_CHECK_H
#define RSTAT_TEST_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "loader/text.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static inline void check_bytes(const struct text *t, const char *want, size_t length,
			       const char *row)
{
	if (!t->cut && t->used == length && !memcmp(t->data, want, length))
		return;
	print_error("%s\n  have: %.*s\n  want: %.*s\n", row, (int)t->used, t->data, (int)length, want);
	fail();
}

static inline void check_text(const struct text *t, const char *want, const char *row)
{
	check_bytes(t, want, strlen(want), row);
}

/* Against test/golden/NAME, which RSTAT_GOLDEN=write in the environment writes anew. */
static inline void check_golden(const struct text *t, const char *name)
{
	char path[128];
	const char *mode = getenv("RSTAT_GOLDEN");
	char *want = malloc(t->used + 1);
	size_t length = 0;
	FILE *file;

	snprintf(path, sizeof path, "test/golden/%s", name);
	file = fopen(path, mode && !strcmp(mode, "write") ? "w+" : "r");
	if (!file || !want) {
		print_error("%s: cannot open\n", path);
		free(want);
		fail();
		return;
	}
	if (mode && !strcmp(mode, "write")) {
		fwrite(t->data, 1, t->used, file);
		rewind(file);
	}
	length = fread(want, 1, t->used + 1, file);
	fclose(file);
	if (length > t->used)
		print_error("%s: the file is longer\n", path);
	else
		check_bytes(t, want, length, path);
	free(want);
	assert_true(length <= t->used);
}

/* A writer into buffers of every size up to what it needs: the same bytes, cut, and not one too many. */
typedef void (*check_writer)(struct text *out, const void *what);

static inline void check_every_size(check_writer write, const void *what, size_t size_max)
{
	char *whole = malloc(size_max), *part;
	struct text all = text_over(whole, size_max), t;

	assert_non_null(whole);
	write(&all, what);
	assert_false(all.cut);
	for (size_t size = 0; size <= all.used; size++) {
		part = malloc(size ? size : 1);	/* the sanitizer guards its end */
		assert_non_null(part);
		t = text_over(part, size);
		write(&t, what);
		assert_true(t.used <= size);
		assert_int_equal(t.cut, size < all.used);
		free(part);
	}
	free(whole);
}

#endif
