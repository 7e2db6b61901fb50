/* SPDX-License-Identifier: MIT */
/*
 * cmocka with what it wants included before it, for tests of code that has a fail() of its own. Memory of exactly
 * the size asked for, so that the sanitizer guards its end.
 */
#ifndef RSTAT_TEST_UNIT_H
#define RSTAT_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail

#include "loader/failure.h"

/* What skip() makes "not ok" of, which a TAP harness takes for a failure (cmocka 1.1). */
#define skip_because(why)                                \
	do {                                             \
		print_message("# SKIP: " why "\n");      \
		return;                                  \
	} while (0)

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static inline void *exactly(size_t size)
{
	void *memory = calloc(1, size ? size : 1);

	assert_non_null(memory);
	return memory;
}

static inline void *copy_of(const void *data, size_t size)
{
	return memcpy(exactly(size), data, size);
}

/* One line, printable, as fail() promises, and with `part` in it. */
static inline void check_failure(const struct failure *f, const char *part)
{
	char line[sizeof f->line + 1] = { 0 };

	assert_true(f->error < 0 && f->length && f->length <= sizeof f->line);
	memcpy(line, f->line, f->length);
	for (size_t i = 0; i < f->length; i++)
		assert_in_range((unsigned char)line[i], ' ', '~');
	if (strstr(line, part))
		return;
	print_error("have: %s\nwant: ... %s ...\n", line, part);
	_fail(__FILE__, __LINE__);
}

/* A fixed sequence of random numbers (xorshift64*, Vigna 2016). */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1d;
}

#endif
