/* SPDX-License-Identifier: MIT */
/* A range of bytes that is not trusted: reached through these checks, and nothing else. */
#ifndef RSTAT_LOADER_BYTES_H
#define RSTAT_LOADER_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loader/memory.h"

struct bytes {
	const uint8_t *data;
	size_t size;
};

/* length bytes at offset, or NULL where they are not all inside. */
static inline const void *bytes_at(struct bytes b, uint64_t offset, uint64_t length)
{
	return offset <= b.size && length <= b.size - offset ? b.data + offset : NULL;
}

static inline bool bytes_part(struct bytes b, uint64_t offset, uint64_t length, struct bytes *part)
{
	const uint8_t *data = bytes_at(b, offset, length);

	if (data)
		*part = (struct bytes){ data, (size_t)length };
	return data != NULL;
}

/* Copies length bytes at offset to *to, whatever their alignment; false where they are not all inside. */
static inline bool bytes_copy(struct bytes b, uint64_t offset, void *to, size_t length)
{
	const void *from = bytes_at(b, offset, length);

	if (from)
		memcpy(to, from, length);
	return from != NULL;
}

/* The word at offset, whatever its alignment; 0 where it is not all inside. No call: the kernel's types are read by it. */
static inline __attribute__((always_inline)) uint32_t bytes_word(struct bytes b, uint64_t offset)
{
	const void *from = bytes_at(b, offset, sizeof(uint32_t));
	uint32_t word = 0;

	if (from)
		__builtin_memcpy(&word, from, sizeof word);
	return word;
}

/* The string that begins at offset, or NULL where no NUL ends it inside. */
static inline const char *bytes_string(struct bytes b, uint64_t offset)
{
	for (size_t i = offset; i < b.size; i++)
		if (!b.data[i])
			return (const char *)b.data + offset;
	return NULL;
}

static inline bool string_equal(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* What follows prefix in string, or NULL where it does not begin so. */
static inline const char *string_after(const char *string, const char *prefix)
{
	while (*prefix)
		if (*string++ != *prefix++)
			return NULL;
	return string;
}

#endif
