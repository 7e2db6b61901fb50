/* SPDX-License-Identifier: MIT */
/*
 * The four functions that compilers call on their own (ISO C 7.24), and no more. Built so that the compiler does
 * not turn their loops into calls of themselves.
 */
#include <stddef.h>
#include <stdint.h>

#include "loader/memory.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	for (; size >= 8; size -= 8, d += 8, s += 8) {
		uint64_t word;

		__builtin_memcpy(&word, s, 8);
		__builtin_memcpy(d, &word, 8);
	}
	while (size--)
		*d++ = *s++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *d = to;
	const uint8_t *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= size) {
		while (size--)
			*d++ = *s++;
	} else {
		while (size--)
			d[size] = s[size];
	}
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	uint8_t *d = to;
	uint64_t word = 0x0101010101010101 * (uint8_t)byte;

	for (; size >= 8; size -= 8, d += 8)
		__builtin_memcpy(d, &word, 8);
	while (size--)
		*d++ = (uint8_t)byte;
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const uint8_t *x = a, *y = b;

	for (; size--; x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}
