/* SPDX-License-Identifier: MIT */
/*
 * Bounded text: typed appenders over a caller's buffer. What does not fit is cut and remembered; nothing is
 * ever written past the end, and no appender allocates or fails. No terminating NUL is kept.
 */
#ifndef RSTAT_LOADER_TEXT_H
#define RSTAT_LOADER_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *data;
	size_t size, used;
	bool cut;		/* something did not fit */
};

/* An empty text over `size` bytes at `data`. */
static inline struct text text_over(void *data, size_t size)
{
	return (struct text){ .data = data, .size = size };
}

void text_bytes(struct text *t, const void *bytes, size_t length);
void text_string(struct text *t, const char *string);	/* NUL-terminated */
void text_char(struct text *t, char c);
void text_unsigned(struct text *t, uint64_t value);	/* at most 20 digits */
void text_signed(struct text *t, int64_t value);
void text_hex(struct text *t, uint64_t value);		/* without 0x, lower case */

/* value / 10^scale with exactly `decimals` places, rounded half up; decimals <= scale <= 9. */
void text_fixed(struct text *t, uint64_t value, unsigned scale, unsigned decimals);

/* The name of a positive errno ("EPERM"), or the number where it has no common one. */
void text_errno(struct text *t, int error);

#endif
