/* SPDX-License-Identifier: MIT */
/* The little of <string.h> that arguments and templates need. */
#ifndef RSTAT_EMIT_WORDS_H
#define RSTAT_EMIT_WORDS_H

#include <stdbool.h>
#include <stddef.h>

static inline size_t word_length(const char *word)
{
	size_t length = 0;

	while (word[length])
		length++;
	return length;
}

/* Whether the `length` bytes at `bytes` are the whole of `word`. */
static inline bool word_is(const char *word, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (!word[i] || word[i] != bytes[i])
			return false;
	}
	return !word[length];
}

static inline bool words_equal(const char *a, const char *b)
{
	return word_is(a, b, word_length(b));
}

#endif
