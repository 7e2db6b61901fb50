/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target is one function that takes bytes, feeds them to one part of the program, and
 * checks by MUST() what that part promises; the sanitizers watch the rest. `make fuzz`, docs/fuzzing.md.
 */
#ifndef RSTAT_FUZZ_H
#define RSTAT_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "loader/bytes.h"
#include "loader/failure.h"
#include "loader/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : fuzz_fails(__FILE__, __LINE__, #condition))
#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

_Noreturn static inline void fuzz_fails(const char *file, int line, const char *condition)
{
	fprintf(stderr, "%s:%d: not so: %s\n", file, line, condition);
	abort();
}

/* ---- structs and numbers out of the input: zeros where it has ended, so that a short input is a simple one */

struct feed {
	const uint8_t *at;
	size_t left;
};

static inline struct feed feed_over(const uint8_t *data, size_t size)
{
	return (struct feed){ data, size };
}

static inline void feed_bytes(struct feed *feed, void *to, size_t size)
{
	size_t part = size < feed->left ? size : feed->left;

	memset(to, 0, size);
	if (!part)
		return;
	memcpy(to, feed->at, part);
	feed->at += part;
	feed->left -= part;
}

static inline uint8_t feed_byte(struct feed *feed)
{
	uint8_t byte;

	feed_bytes(feed, &byte, 1);
	return byte;
}

static inline bool feed_bool(struct feed *feed)
{
	return feed_byte(feed) & 1;
}

/* A byte that says how many follow, or that it is a power of two, or one less: the numbers at which code goes wrong. */
static inline uint64_t feed_number(struct feed *feed)
{
	uint8_t how = feed_byte(feed);
	uint64_t value = 0;

	if (how >= 0xc0)
		return (UINT64_C(1) << (how & 0x3f)) - 1;
	if (how >= 0x80)
		return UINT64_C(1) << (how & 0x3f);
	if (how > 8)
		return how - 9u;
	feed_bytes(feed, &value, how);
	return value;
}

/* 0 .. most */
static inline uint64_t feed_upto(struct feed *feed, uint64_t most)
{
	uint64_t value = feed_number(feed);

	return value <= most ? value : most == UINT64_MAX ? value : value % (most + 1);
}

/* At most size - 1 bytes without NUL, and a NUL: a length, then the bytes. */
static inline void feed_string(struct feed *feed, char *to, size_t size)
{
	size_t length = (size_t)feed_upto(feed, size - 1);

	if (length > feed->left)
		length = feed->left;
	memset(to, 0, size);
	feed_bytes(feed, to, length);
}

/* ---- what every part promises */

/* fail(): one line of printable ASCII. */
static inline void check_failure(const struct failure *f)
{
	MUST(f->error < 0 && f->error > -4096 && f->length && f->length <= sizeof f->line && f->advice < f->length);
	for (size_t i = 0; i < f->length; i++)
		MUST(f->line[i] >= ' ' && f->line[i] <= '~');
}

/*
 * A copy of exactly that size, which the sanitizer guards at both ends. Never of size 0 to the caller: a pointer to one
 * byte that may not be read.
 */
static inline void *exact_copy(const void *bytes, size_t size)
{
	void *copy = malloc(size);

	MUST(copy);
	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

/* Every appender may be cut anywhere: what is written is then the beginning of the whole, and no more than the buffer. */
#define CHECK_CUT(whole, size_wanted, write) \
	do { \
		size_t cut_size = (size_wanted); \
		char *cut_data = malloc(cut_size ? cut_size : 1); \
		struct text cut_text = text_over(cut_data, cut_size); \
		struct text *cut = &cut_text; \
		write; \
		MUST(cut->used <= cut_size); \
		MUST(cut->cut == (cut_size < (whole)->used)); \
		free(cut_data); \
	} while (0)

#endif
